import { LATECOMER, type Setting } from './plan.js'
import type { Prng } from './prng.js'
import type { Handling, Seen } from './simulated-consumer.js'
import type { Fate } from './simulated-service.js'
import type { Timeline } from './timeline.js'

/** What handlers do with what they are given: they take their time, ask for it again, fail, get stuck. */
export class Handlers {
  /** Faults are over. */
  healing = false
  /** How many got stuck. */
  stuckCount = 0
  readonly #timeline: Timeline
  readonly #prng: Prng
  readonly #setting: Setting
  readonly #stuck = new Set<Seen>()
  /** By group, how many of its next deliveries get stuck, each for so long. */
  readonly #stuckMs = new Map<string, number[]>()

  constructor(timeline: Timeline, prng: Prng, setting: Setting) {
    this.#timeline = timeline
    this.#prng = prng
    this.#setting = setting
  }

  /** A delivery to come gets stuck. */
  stick(groupId: string, forMs: number): void {
    const stuckMs = this.#stuckMs.get(groupId)
    if (stuckMs === undefined) this.#stuckMs.set(groupId, [forMs])
    else stuckMs.push(forMs)
  }

  /** Acknowledges what is stuck. */
  finishStuck(): void {
    for (const seen of this.#stuck) seen.consumer.acknowledge(seen)
  }

  handle(seen: Seen): Handling {
    const { handleMs, handleLateMs, refusedPercent } = this.#setting
    const forMs = this.#takeStuckMs(seen.groupId)
    if (forMs !== undefined) {
      this.#stuck.add(seen)
      this.#timeline.after(forMs, () => seen.consumer.acknowledge(seen))
      return 'never'
    }
    if (seen.groupId === LATECOMER) return 'at-once'
    if (!seen.redelivered && this.#prng.chance(refusedPercent)) return 'again'
    const ms = seen.late ? Math.max(handleMs, handleLateMs) : handleMs
    return ms === 0 ? 'at-once' : this.#prng.below(ms)
  }

  /** What becomes of a call of a handler in key order; its key waits for it. */
  fateOf(groupId: string, text: string): Fate {
    const forMs = this.#takeStuckMs(groupId)
    const error = isPoisoned(text) ? POISON : undefined
    if (forMs !== undefined) return { afterMs: Math.min(forMs, KEY_STUCK_MS_MAX), error }
    const afterMs = this.#prng.below(Math.min(this.#setting.handleMs, KEY_HANDLE_MS_MAX) + 1)
    if (error !== undefined) return { afterMs, error }
    return !this.healing && this.#prng.chance(10) ? { afterMs, error: UNREACHABLE } : { afterMs }
  }

  /** What becomes of an attempt to keep a dead letter. */
  fateOfLetter(): Fate {
    const afterMs = this.#prng.between(1, 20)
    return !this.healing && this.#prng.chance(30) ? { afterMs, error: UNREACHABLE } : { afterMs }
  }

  #takeStuckMs(groupId: string): number | undefined {
    const forMs = this.healing ? undefined : this.#stuckMs.get(groupId)?.shift()
    if (forMs !== undefined) this.stuckCount++
    return forMs
  }
}

/** Such messages can never be handled. Payloads end with the number of the message. */
export function isPoisoned(text: string): boolean {
  return Number(text.split('/').at(-1)) % POISON_EVERY === 0
}

/** Whether it helps to call the handler again. */
export function classify(error: unknown): 'permanent' | 'transient' {
  return error === POISON ? 'permanent' : 'transient'
}

const POISON_EVERY = 11
const POISON = new Error('can never be handled')
const UNREACHABLE = new Error('away for a moment')
/** One key is handled one by one: it is not to be judged for its load. */
const KEY_HANDLE_MS_MAX = 20
const KEY_STUCK_MS_MAX = 10_000
