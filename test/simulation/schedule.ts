import type { TandemEvent } from '@tandem/common'

import { Prng } from './prng.js'
import type { Seen, SimulatedConsumer } from './simulated-consumer.js'
import type { SimulatedProducer } from './simulated-producer.js'
import { World } from './world.js'

/**
 * One random life of a deployment: a seed draws how much of what happens, lets it happen for some minutes, then heals
 * everything and lets the world come to rest.
 *
 * The probabilities are drawn too, not only the events: a schedule in which one kind of fault is frequent and another
 * one never happens reaches states that an even mixture does not (TigerBeetle's swarm).
 */
export type FaultKind = (typeof FAULTS)[number]

export const FAULTS = [
  'producer-kill',
  'producer-stop',
  'consumer-kill',
  'consumer-stop',
  'late-append',
  'client-discard',
  'cluster-dead',
  'cluster-hung',
  'cluster-slow',
  'cluster-flap',
  'partition-leaderless',
  'redis-away',
  'redis-rolled-back',
  'redis-emptied',
  'clock-back',
  'clock-forward',
  'handler-stuck',
  'refused-for-good',
] as const

/** A message, as the application that sent it knows it. */
export interface Truth {
  readonly text: string
  readonly producerId: string
  /** Which life of the producerId sent it: 1, 2, 3 … */
  readonly life: number
  readonly key: string
  /** 1, 2, 3 … over the calls of this life. */
  readonly number: number
}

/** What a consumer of a group lived through, for the checkers. */
export interface ConsumerLife {
  readonly groupId: string
  readonly consumer: SimulatedConsumer
  endedAtMs: number | undefined
}

export interface Outcome {
  readonly world: World
  readonly truths: ReadonlyMap<string, Truth>
  readonly lives: readonly ConsumerLife[]
  readonly groups: readonly string[]
  readonly producers: readonly SimulatedProducer[]
  /** When the store could not keep what it had confirmed, or could not be reached. */
  readonly storeTroubles: readonly { readonly fromMs: number; toMs: number }[]
  readonly faults: Readonly<Record<FaultKind, number>>
  readonly healedAtMs: number
  readonly restedAtMs: number
  readonly rested: boolean
}

const GROUPS = ['balances', 'audit'] as const

export class Schedule {
  readonly #prng: Prng
  readonly #world: World
  readonly #truths = new Map<string, Truth>()
  readonly #lives: ConsumerLife[] = []
  readonly #producers: SimulatedProducer[] = []
  readonly #current = new Map<string, { producer: SimulatedProducer; life: number; sent: number }>()
  readonly #consumers = new Map<string, ConsumerLife>()
  readonly #stuck: (() => void)[] = []
  readonly #storeTroubles: { fromMs: number; toMs: number }[] = []
  readonly #faults = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  readonly #weights: Readonly<Record<FaultKind, number>>
  readonly #keys: number
  readonly #sendEveryMs: number
  readonly #faultEveryMs: number
  readonly #minutes: number
  readonly #acknowledge: 'one' | 'available' | 'both'
  readonly #ackDelayMs: number
  readonly #backlogBytesMax: number
  #sending = true

  constructor(seed: number) {
    const prng = new Prng(seed)
    this.#prng = prng
    this.#world = new World({
      seed: prng.below(2 ** 31),
      topics: { entries: 1 + prng.below(3) },
      brokers: 1 + prng.below(3),
      latencyMs: prng.chance(30) ? [1, 200] : [1, 5],
      pollTimeoutMs: 500,
      readRecordsMax: prng.chance(50) ? 500 : 3,
      writeRecordsMax: prng.chance(50) ? 500 : 3,
    })
    for (const cluster of this.#world.clusters) {
      cluster.lateAppendPercent = prng.below(101)
      cluster.hollowPercent = prng.chance(30) ? prng.below(50) : 0
    }
    this.#keys = 1 + prng.below(6)
    this.#sendEveryMs = 50 + prng.below(3_000)
    this.#faultEveryMs = 2_000 + prng.below(40_000)
    this.#minutes = 4 + prng.below(6)
    this.#acknowledge = prng.pick(['one', 'one', 'available', 'both'])
    this.#ackDelayMs = prng.pick([0, 0, 5, 2_000])
    this.#backlogBytesMax = prng.pick([1 << 20, 64 << 20, 64 << 20])
    const weights = {} as Record<FaultKind, number>
    for (const kind of FAULTS) weights[kind] = prng.chance(40) ? 0 : 1 + prng.below(10)
    this.#weights = weights
  }

  async run(): Promise<Outcome> {
    const world = this.#world
    for (const producerId of ['ledger', 'cards'].slice(0, 1 + this.#prng.below(2))) this.#startProducer(producerId)
    for (const groupId of GROUPS) this.#startConsumer(groupId)
    this.#keepSending()
    this.#keepFailing()
    await world.run(this.#minutes * 60_000)
    this.#sending = false
    this.#heal()
    const healedAtMs = world.now
    const rested = await this.#rest()
    await world.run(2_000)
    for (const kind of ['late-append', 'client-discard'] as const) this.#faults[kind] = this.#seenOf(kind)
    return {
      world,
      truths: this.#truths,
      lives: this.#lives,
      groups: GROUPS,
      producers: this.#producers,
      storeTroubles: this.#storeTroubles,
      faults: this.#faults,
      healedAtMs,
      restedAtMs: world.now,
      rested,
    }
  }

  /** Until all is done, or nothing has moved for as long as I8 gives: a backlog takes the time that it takes. */
  async #rest(): Promise<boolean> {
    const world = this.#world
    for (;;) {
      const moved = world.seen.length
      if (await world.until(() => this.#isDone(), REST_MS)) return true
      if (world.seen.length === moved) return false
    }
  }

  // --- the application ------------------------------------------------------------------------------------------

  #startProducer(producerId: string): void {
    const life = (this.#current.get(producerId)?.life ?? 0) + 1
    const producer = this.#world.createProducer({
      producerId,
      name: `${producerId}-${life}`,
      options: {
        acknowledge: this.#acknowledge,
        whenBothAway: { policy: 'reject' },
        backlogBytesMax: this.#backlogBytesMax,
        topics: { entries: {} },
        connectTimeoutMs: 60_000,
      },
    })
    producer.start()
    this.#producers.push(producer)
    this.#current.set(producerId, { producer, life, sent: 0 })
  }

  #keepSending(): void {
    this.#world.timeline.after(1 + this.#prng.below(this.#sendEveryMs * 2), () => {
      if (!this.#sending) return
      const [producerId, current] = this.#prng.pick([...this.#current])
      if (current.producer.connected && current.producer.process.state === 'running') {
        const burst = this.#prng.chance(10) ? 1 + this.#prng.below(40) : 1
        for (let i = 0; i < burst; i++) this.#send(producerId, current)
      }
      this.#keepSending()
    })
  }

  #send(producerId: string, current: { producer: SimulatedProducer; life: number; sent: number }): void {
    const number = ++current.sent
    const key = `key-${this.#prng.below(this.#keys)}`
    const text = `${producerId}/${current.life}/${number}`
    this.#truths.set(text, { text, producerId, life: current.life, key, number })
    current.producer.send(text, { key })
  }

  #startConsumer(groupId: string): void {
    const lives = this.#lives.filter((life) => life.groupId === groupId).length
    const consumer = this.#world.createConsumer({
      groupId,
      name: `${groupId}-${lives + 1}`,
      options: { connectTimeoutMs: 60_000 },
      handle: (seen) => this.#handle(seen),
    })
    const life: ConsumerLife = { groupId, consumer, endedAtMs: undefined }
    this.#lives.push(life)
    this.#consumers.set(groupId, life)
    consumer.start()
    this.#keepAlive(life)
  }

  /** A consumer that could not start is started again, as any service is. */
  #keepAlive(life: ConsumerLife): void {
    this.#world.timeline.after(5_000, () => {
      if (life.endedAtMs !== undefined || this.#consumers.get(life.groupId) !== life) return
      if (life.consumer.failure === undefined) {
        this.#keepAlive(life)
        return
      }
      life.endedAtMs = this.#world.now
      life.consumer.kill()
      this.#startConsumer(life.groupId)
    })
  }

  #handle(seen: Seen): 'at-once' | 'never' | number {
    if (this.#sending && this.#weights['handler-stuck'] > 0 && this.#prng.below(1_000) < 3) {
      this.#faults['handler-stuck']++
      this.#stuck.push(() => seen.consumer.acknowledge(seen))
      return 'never'
    }
    return this.#ackDelayMs === 0 ? 'at-once' : this.#prng.below(this.#ackDelayMs)
  }

  // --- what goes wrong ------------------------------------------------------------------------------------------

  #keepFailing(): void {
    this.#world.timeline.after(1 + this.#prng.below(this.#faultEveryMs * 2), () => {
      if (!this.#sending) return
      const total = FAULTS.reduce((sum, kind) => sum + this.#weights[kind], 0)
      let drawn = total === 0 ? -1 : this.#prng.below(total)
      const kind = FAULTS.find((one) => (drawn -= this.#weights[one]) < 0)
      if (kind !== undefined && this.#inject(kind)) this.#faults[kind]++
      this.#keepFailing()
    })
  }

  /** Returns whether it happened. */
  #inject(kind: FaultKind): boolean {
    const world = this.#world
    const { timeline } = world
    const cluster = this.#prng.pick(world.clusters)
    const forMs = this.#prng.chance(50) ? 1 + this.#prng.below(5_000) : 1 + this.#prng.below(60_000)
    const [producerId, { producer }] = this.#prng.pick([...this.#current])
    const life = this.#prng.pick([...this.#consumers.values()])
    switch (kind) {
      case 'producer-kill':
        if (producer.process.state === 'dead') return false
        producer.kill()
        timeline.after(forMs, () => this.#startProducer(producerId))
        return true
      case 'producer-stop':
        producer.stop()
        timeline.after(forMs, () => producer.continue())
        // Sometimes it is taken for dead: another one takes its place, and it wakes up beside it.
        if (this.#prng.chance(30)) this.#startProducer(producerId)
        return true
      case 'consumer-kill':
        if (life.endedAtMs !== undefined) return false
        life.endedAtMs = world.now
        life.consumer.kill()
        timeline.after(forMs, () => this.#startConsumer(life.groupId))
        return true
      case 'consumer-stop':
        life.consumer.stop()
        timeline.after(forMs, () => life.consumer.continue())
        return true
      case 'cluster-dead':
        cluster.kill()
        timeline.after(forMs, () => cluster.restart())
        return true
      case 'cluster-hung':
        cluster.hang()
        timeline.after(forMs, () => cluster.heal())
        return true
      case 'cluster-slow':
        cluster.slow(1 + this.#prng.below(3_000), this.#prng.pick([undefined, 'read', 'write', 'query']))
        timeline.after(forMs, () => cluster.slow(0))
        return true
      case 'cluster-flap':
        for (let i = 0; i < 5; i++) {
          timeline.after(i * 4_000, () => cluster.hang())
          timeline.after(i * 4_000 + 2_000, () => cluster.heal())
        }
        return true
      case 'partition-leaderless': {
        const partition = this.#prng.below(world.settings.topics['entries']!)
        cluster.leaderless('entries', partition)
        timeline.after(forMs, () => cluster.lead('entries', partition))
        return true
      }
      case 'redis-away': {
        world.store.goAway()
        const trouble = { fromMs: world.now, toMs: Infinity }
        this.#storeTroubles.push(trouble)
        timeline.after(forMs, () => {
          world.store.comeBack()
          trouble.toMs = world.now + 2_000
        })
        return true
      }
      case 'redis-rolled-back':
        // Before the last of its clients came it knew nothing of them; what it forgets is what came since.
        if (this.#dead()) return false
        world.store.rollBack(1 + this.#prng.below(2_000))
        this.#storeTroubles.push({ fromMs: world.now - 5_000, toMs: world.now + 5_000 })
        return true
      case 'redis-emptied':
        if (this.#dead()) return false
        world.store.empty()
        this.#storeTroubles.push({ fromMs: 0, toMs: world.now + 5_000 })
        return true
      case 'clock-back':
      case 'clock-forward':
        producer.process.moveClock((kind === 'clock-back' ? -1 : 1) * this.#prng.below(600_000))
        return true
      case 'refused-for-good': {
        const chosen = this.#prng.below(4)
        cluster.refuse(({ value }) => value !== null && value.length % 4 === chosen)
        timeline.after(forMs, () => cluster.refuse(() => false))
        return true
      }
      case 'late-append':
      case 'client-discard':
      case 'handler-stuck':
        return false // they come of themselves, or with a delivery
      default:
        throw kind satisfies never
    }
  }

  /** Whether some group has no consumer at the moment. */
  #dead(): boolean {
    return [...this.#consumers.values()].some(({ endedAtMs }) => endedAtMs !== undefined)
  }

  #heal(): void {
    const world = this.#world
    for (const cluster of world.clusters) {
      cluster.restart()
      cluster.heal()
      cluster.hollowPercent = 0
    }
    world.store.comeBack()
    for (const trouble of this.#storeTroubles) trouble.toMs = Math.min(trouble.toMs, world.now + 5_000)
    for (const producer of this.#producers) producer.continue()
    for (const { consumer } of this.#lives) consumer.continue()
    for (const life of this.#consumers.values()) if (life.endedAtMs !== undefined) this.#startConsumer(life.groupId)
    for (const acknowledge of this.#stuck) acknowledge()
    world.timeline.after(1, () => {
      for (const acknowledge of this.#stuck) acknowledge()
    })
  }

  /** Every call of send() of a living producer has an answer, and everything acknowledged is with every group. */
  #isDone(): boolean {
    for (const sent of this.#world.sent) {
      if (sent.closedAtMs === undefined && sent.producer.process.state !== 'dead') return false
    }
    const seen = new Map<string, Set<string>>(GROUPS.map((groupId) => [groupId, new Set<string>()]))
    for (const { groupId, text } of this.#world.seen) seen.get(groupId)!.add(text)
    return this.#world.sent.every(
      ({ receipt, text }) => receipt === undefined || GROUPS.every((groupId) => seen.get(groupId)!.has(text)),
    )
  }

  #seenOf(kind: 'late-append' | 'client-discard'): number {
    const events = this.#producers.flatMap((producer) => producer.events)
    const wanted: TandemEvent['kind'] = kind === 'client-discard' ? 'client-discarded' : 'record-hollow'
    return events.filter((event) => event.kind === wanted).length
  }
}

/** I8: feedAwayAfterMs + holeTimeoutMs + gapTimeoutMs + 30 s. */
const REST_MS = 10_000 + 60_000 + 5_000 + 30_000
