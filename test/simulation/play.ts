import type { History } from './checkers/history.js'
import { LATE_MS_MOST } from './cluster.js'
import { Deployment } from './deployment.js'
import { Faults } from './faults.js'
import { Peaks } from './peaks.js'
import { GROUPS, LATECOMER, restMs, type Aged, type FaultKind, type Plan, type Step } from './plan.js'
import type { SimulatedConsumer } from './simulated-consumer.js'
import type { SimulatedProducer } from './simulated-producer.js'
import type { World } from './world.js'
import { writeHistory } from './write-history.js'

/** What a schedule came to. */
export interface Played {
  readonly history: History
  readonly world: World
  readonly producers: readonly SimulatedProducer[]
  readonly consumers: readonly SimulatedConsumer[]
  /** How often each kind occurred. */
  readonly faults: Readonly<Record<FaultKind, number>>
}

/**
 * Lets a plan happen: a safety phase in which the steps fall into a running deployment, then everything heals and all
 * has to come to rest in the time that I8 gives. In the end a group that nobody knew of reads both logs from their
 * start and has to be given the same.
 */
export function play(plan: Plan): Promise<Played> {
  return new Play(plan).run()
}

class Play {
  readonly #plan: Plan
  readonly #deployment: Deployment
  readonly #faults: Faults
  readonly #peaks: Peaks
  /** Messages by the group that was given them, as far as `#seenCount` of what was seen. */
  readonly #given = new Map<string, Set<string>>()
  #seenCount = 0

  constructor(plan: Plan) {
    this.#plan = plan
    this.#deployment = new Deployment(plan)
    this.#faults = new Faults(this.#deployment)
    this.#peaks = new Peaks(this.#deployment)
  }

  async run(): Promise<Played> {
    const { setting, steps } = this.#plan
    const { world, senders, subscribers } = this.#deployment
    senders.start()
    for (const groupId of GROUPS) subscribers.start(groupId)
    this.#peaks.keepMeasuring()
    for (const step of steps) world.timeline.schedule(step.atMs, () => this.#take(step))
    await world.run(setting.minutes * 60_000)
    this.#heal()
    const healedAtMs = world.now
    let rested = await this.#rest(GROUPS)
    if (rested && setting.aged !== undefined) {
      await this.#age(setting.aged)
      rested = await this.#rest(GROUPS)
    }
    if (rested) {
      subscribers.start(LATECOMER)
      rested = await this.#rest([...GROUPS, LATECOMER])
    }
    return this.#played({ healedAtMs, rested })
  }

  #take(step: Step): void {
    const { messages } = this.#deployment
    if (step.kind === 'send') messages.send(step)
    else if (step.kind === 'unstamped') messages.writeUnstamped(step)
    else if (step.kind === 'import') messages.import(step)
    else this.#faults.take(step)
  }

  #heal(): void {
    const { world, operator, handlers, senders, subscribers } = this.#deployment
    operator.healing = true
    handlers.healing = true
    this.#faults.heal()
    senders.heal()
    subscribers.heal()
    world.timeline.after(1, () => handlers.finishStuck())
  }

  /** Waits until everything is answered and delivered, as long as I8 allows; returns whether it came to that. */
  async #rest(groups: readonly string[]): Promise<boolean> {
    const { world, setting } = this.#deployment
    const untilMs = world.now + restMs(setting) + this.#readingMs()
    while (world.now < untilMs) {
      await world.run(REST_LOOK_MS)
      if (!this.#isDone(groups)) continue
      // Events are told a moment after what they tell of; and what nobody was promised may be written yet.
      await world.run(QUIET_MS)
      if (this.#isDone(groups)) return true
    }
    return false
  }

  /** Old enough to be forgotten, gone from the logs, and written to again: by the same lives, and by the next ones. */
  async #age({ left, kept }: Aged): Promise<void> {
    const { world, setting, expiry, losses, senders, subscribers } = this.#deployment
    // Groups have all of it, from one log or the other; what is old, nobody writes any more.
    await world.until(() => senders.areDrained(), DRAINED_MS_MAX)
    await world.run(LATE_MS_MOST)
    for (const cluster of world.clusters) {
      if (cluster.name === kept) continue
      for (const log of cluster.logs()) losses.handleLost(log.moveStart(log.end - left))
    }
    // From now on it is soon old.
    expiry.ageMs = OLD_MS
    await world.run(OLD_MS + LAST_SEEN_MS + 2 * expiry.everyMs)
    if (kept !== undefined) {
      const cluster = world.cluster(kept)
      cluster.kill()
      await world.run(POWERLESS_MS)
      losses.handleLost(cluster.loseTails(3))
      cluster.restart()
    }
    for (const restarted of [false, true]) {
      if (restarted) {
        for (let producer = 0; producer < setting.producers; producer++) senders.restart(producer)
        for (const groupId of GROUPS) subscribers.restart(groupId)
      }
      await world.run(AGED_MS)
      this.#sendUnderEveryKey()
      await world.run(AGED_MS)
    }
  }

  #sendUnderEveryKey(): void {
    const { setting, messages, prng } = this.#deployment
    for (let producer = 0; producer < setting.producers; producer++) {
      for (let key = 0; key < KEYS_MAX; key++) messages.send({ producer, key, count: prng.between(1, 3) })
    }
  }

  /** What a group needs that has to begin anew, since its store forgot all, and that is given one message at a time. */
  #readingMs(): number {
    const { setting, messages } = this.#deployment
    const { latencyMs, handleMs, refusedPercent } = setting
    const refusedMs = (refusedPercent / 100) * NACK_DELAY_MS
    return messages.count * (handleMs + refusedMs + 2 * latencyMs[1])
  }

  #isDone(groups: readonly string[]): boolean {
    const { messages, losses } = this.#deployment
    if (!messages.areAnswered()) return false
    const given = this.#givenSoFar()
    const promised = messages.promised()
    const wanted = new Set(promised)
    for (const { text } of messages.unstamped) wanted.add(text)
    for (const groupId of groups) for (const text of given.get(groupId) ?? []) wanted.add(text)
    for (const text of losses.vanished()) wanted.delete(text)
    for (const text of losses.blurred()) if (!promised.has(text)) wanted.delete(text)
    const haveAll = (texts: ReadonlySet<string>): boolean =>
      groups.every((groupId) => [...texts].every((text) => given.get(groupId)?.has(text)))
    if (!haveAll(wanted) || !groups.every((groupId) => this.#isHandled(groupId))) return false
    // Last, since it takes reading both logs.
    return haveAll(messages.tornAndWritten())
  }

  /** Which messages each group was given. */
  #givenSoFar(): ReadonlyMap<string, ReadonlySet<string>> {
    const { seen } = this.#deployment.world
    for (; this.#seenCount < seen.length; this.#seenCount++) {
      const { groupId, text } = seen[this.#seenCount]!
      const texts = this.#given.get(groupId)
      if (texts === undefined) this.#given.set(groupId, new Set([text]))
      else texts.add(text)
    }
    return this.#given
  }

  /** Who handles in key order has something in hand for a while. */
  #isHandled(groupId: string): boolean {
    return this.#deployment.subscribers.living(groupId).every(({ consumer }) => {
      if (consumer.service === undefined) return true
      return consumer.deliveries.every(({ acknowledgedAtMs, delivery }) => {
        return acknowledgedAtMs !== undefined || delivery.signal.aborted
      })
    })
  }

  #played({ healedAtMs, rested }: { readonly healedAtMs: number; readonly rested: boolean }): Played {
    const deployment = this.#deployment
    const { world, senders, subscribers } = deployment
    const [plan, faults, peaks] = [this.#plan, this.#faults, this.#peaks]
    return {
      history: writeHistory({ plan, deployment, faults, peaks, healedAtMs, rested }),
      world,
      producers: senders.producers,
      consumers: subscribers.all.map(({ consumer }) => consumer),
      faults: faults.counts(),
    }
  }
}

const OLD_MS = 30_000
/** When something was last seen is stored as the next minute. */
const LAST_SEEN_MS = 60_000
/** What a producer or a consumer needs to be there again. */
const AGED_MS = 15_000
const KEYS_MAX = 6
const POWERLESS_MS = 5_000
/** Longer than a circuit waits until it tries again, several times. */
const DRAINED_MS_MAX = 300_000
const REST_LOOK_MS = 200
const QUIET_MS = 2_000
/** After which a delivery comes again that was asked for again. */
const NACK_DELAY_MS = 1_000
