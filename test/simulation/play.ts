import { keyRangeOf } from '@tandem/common/internal'
import type { FeedRecord } from '@tandem/consumer/internal'

import type {
  Answer,
  CarriesOn,
  ConsumerLife,
  CutOff,
  History,
  Peak,
  SentMessage,
  Span,
  StoreTrouble,
} from './checkers/history.js'
import { LEADERLESS, type SimulatedCluster } from './cluster.js'
import { lateWritten, readable, Voided } from './late-writers.js'
import { Operator } from './operator.js'
import {
  CLUSTERS,
  FAULTS,
  GROUPS,
  INSTANCES_MAX,
  restMs,
  type Aged,
  type FaultKind,
  type Plan,
  type Setting,
  type Step,
} from './plan.js'
import { Prng } from './prng.js'
import type { Handling, Seen, SimulatedConsumer } from './simulated-consumer.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { Sent, SimulatedProducer } from './simulated-producer.js'
import type { Fate } from './simulated-service.js'
import { World } from './world.js'

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

/** A call of `send()` with what the application knows of it. */
interface Told {
  readonly sent: Sent
  readonly producerId: string
  readonly life: number
  readonly key: string
  readonly number: number
}

interface ProducerProcess {
  readonly producer: SimulatedProducer
  readonly life: number
  /** Its journal's path: the disk of a machine, which the next process on it finds. */
  readonly path: string
  sent: number
  closed: boolean
}

/** Everybody who sends under one producerId. */
interface Service {
  readonly producerId: string
  lives: number
  /** Not killed and not closed; several if one was replaced too early. */
  readonly processes: ProducerProcess[]
}

interface Subscription {
  readonly groupId: string
  lives: number
  /** In the order of their starts. */
  readonly instances: Subscriber[]
  /** How many there should be. */
  wanted: number
  /** How many of the next deliveries get stuck, each for so long. */
  readonly stuckMs: number[]
}

interface Subscriber {
  readonly consumer: SimulatedConsumer
  readonly startedAtMs: number
  endedAtMs: number | undefined
}

class Play {
  readonly #plan: Plan
  readonly #world: World
  readonly #prng: Prng
  readonly #told: Told[] = []
  /** What was written without a stamp. */
  readonly #unstamped: SentMessage[] = []
  readonly #services: readonly Service[]
  readonly #producers: SimulatedProducer[] = []
  /** Who used a machine's disk last, by its path. */
  readonly #machines = new Map<string, ProducerProcess>()
  /** Messages whose entries in a journal were damaged: nobody can promise them. */
  readonly #torn = new Set<string>()
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #subscribers: Subscriber[] = []
  readonly #storeTroubles: (Omit<StoreTrouble, 'toMs'> & { toMs: number })[] = []
  readonly #cutOffs: (Omit<CutOff, 'toMs'> & { toMs: number })[] = []
  readonly #stuck = new Set<Seen>()
  /** The most that was seen of what is bounded, by what it is. */
  readonly #measured = new Map<string, { what: string; peak: number; allowed: number }>()
  readonly #faults = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  readonly #padding: string
  /** Messages of which some log has lost a record. */
  readonly #lost = new Set<string>()
  readonly #lostVoids = new Voided()
  /** Messages by the group that was given them, as far as `#seenCount` of what was seen. */
  readonly #given = new Map<string, Set<string>>()
  #seenCount = 0
  readonly #operator: Operator
  #healing = false
  /** Nothing is old while something may be written late. */
  readonly #expiry = { everyMs: 20_000, ageMs: 86_400_000 }

  constructor(plan: Plan) {
    const { setting } = plan
    this.#plan = plan
    this.#padding = 'x'.repeat(setting.paddingBytes)
    this.#world = new World({
      seed: plan.seed,
      topics: { [TOPIC]: setting.partitions },
      brokers: setting.brokers,
      latencyMs: setting.latencyMs,
      pollTimeoutMs: 500,
      readRecordsMax: setting.readRecordsMax,
      writeRecordsMax: setting.writeRecordsMax,
      ...(setting.aged === undefined ? {} : { expiry: this.#expiry }),
    })
    this.#prng = this.#world.fork()
    for (const cluster of this.#world.clusters) {
      cluster.lateAppendPercent = setting.lateAppendPercent
      cluster.hollowPercent = ['all', cluster.name].includes(setting.suffering) ? setting.hollowPercent : 0
    }
    this.#services = PRODUCER_IDS.slice(0, setting.producers).map((producerId) => {
      return { producerId, lives: 0, processes: [] }
    })
    const living = (): SimulatedConsumer[] => {
      return GROUPS.flatMap((groupId) => this.#living(groupId).map(({ consumer }) => consumer))
    }
    this.#operator = new Operator(this.#world, this.#world.fork(), living)
  }

  async run(): Promise<Played> {
    const { setting, steps } = this.#plan
    const world = this.#world
    for (const service of this.#services) this.#startProducer(service)
    for (const groupId of GROUPS) this.#startConsumers(groupId)
    this.#keepMeasuring()
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
      this.#startConsumers(LATECOMER)
      rested = await this.#rest([...GROUPS, LATECOMER])
    }
    return this.#played({ healedAtMs, rested })
  }

  // --- the application ------------------------------------------------------------------------------------------

  #startProducer(service: Service): void {
    const { setting } = this.#plan
    const life = ++service.lives
    const path = this.#freePath(service)
    const { journal: mode } = setting
    const producer = this.#world.createProducer({
      producerId: service.producerId,
      name: `${service.producerId}-${life}`,
      epochs: setting.epochs,
      options: {
        acknowledge: setting.acknowledge,
        whenBothAway: { policy: setting.whenBothAway },
        journal: mode === 'off' ? {} : { mode, path, bytesMax: JOURNAL_BYTES_MAX, copyAgeMaxMs: setting.copyAgeMaxMs },
        sendTimeoutMs: setting.sendTimeoutMs,
        backlogBytesMax: setting.backlogBytesMax,
        topics: { [TOPIC]: {} },
        connectTimeoutMs: 600_000,
      },
    })
    this.#producers.push(producer)
    const process = { producer, life, path, sent: 0, closed: false }
    service.processes.push(process)
    this.#machines.set(path, process)
    producer.start()
    this.#keepConnecting(service, process)
  }

  /** A machine of the service on which nothing of it runs: mostly the one and only. */
  #freePath({ producerId }: Service): string {
    for (let machine = 1; ; machine++) {
      const path = `/${producerId}-${machine}`
      const user = this.#machines.get(path)
      if (user === undefined || isGone(user)) return path
    }
  }

  /** What could not start, because of its disk for instance, is tried again, as any service is. */
  #keepConnecting(service: Service, process: ProducerProcess): void {
    this.#world.timeline.after(5_000, () => {
      const { producer } = process
      if (producer.connected || !service.processes.includes(process)) return
      if (producer.failure !== undefined) producer.start()
      this.#keepConnecting(service, process)
    })
  }

  /** As many as the group should have. */
  #startConsumers(groupId: string): void {
    let subscription = this.#subscriptions.get(groupId)
    if (subscription === undefined) {
      const wanted = groupId === LATECOMER ? 1 : this.#plan.setting.instances
      subscription = { groupId, lives: 0, instances: [], wanted, stuckMs: [] }
      this.#subscriptions.set(groupId, subscription)
    }
    while (this.#living(groupId).length < subscription.wanted) this.#startConsumer(subscription)
  }

  #startConsumer(subscription: Subscription): void {
    const { setting } = this.#plan
    const { groupId, stuckMs } = subscription
    const consumer = this.#world.createConsumer({
      groupId,
      name: `${groupId}-${++subscription.lives}`,
      options: {
        gapTimeoutMs: setting.gapTimeoutMs,
        holeTimeoutMs: setting.holeTimeoutMs,
        feedAwayAfterMs: setting.feedAwayAfterMs,
        heldMessagesMax: setting.heldMessagesMax,
        // Nothing happens to the one that comes last; it has to be quick.
        unacknowledgedMax: groupId === LATECOMER ? 10_000 : setting.unacknowledgedMax,
        from: groupId === LATECOMER ? 'earliest' : setting.from,
        order: groupId === LATECOMER ? 'late' : setting.order,
        unstamped: setting.unstamped ? { deliver: CLUSTERS[0] } : 'event',
        connectTimeoutMs: 60_000,
      },
      handle: (seen) => this.#handle(seen, stuckMs),
      service:
        groupId === GROUPS[0] && setting.keyConcurrency > 0
          ? {
              handle: (text) => this.#fateOf(text, stuckMs),
              bury: () => this.#fateOfLetter(),
              books: setting.books,
              options: {
                concurrency: setting.keyConcurrency,
                classify: (error) => (error === POISON ? 'permanent' : 'transient'),
                retry: { delayMsMax: 2_000 },
              },
            }
          : undefined,
    })
    const subscriber = { consumer, startedAtMs: this.#world.now, endedAtMs: undefined }
    subscription.instances.push(subscriber)
    this.#subscribers.push(subscriber)
    consumer.start()
    this.#keepAlive(groupId, subscriber)
  }

  /** A consumer that could not start is started again, as any service is. */
  #keepAlive(groupId: string, subscriber: Subscriber): void {
    this.#world.timeline.after(5_000, () => {
      if (subscriber.endedAtMs !== undefined) return
      if (subscriber.consumer.failure === undefined) {
        this.#keepAlive(groupId, subscriber)
      } else {
        this.#killConsumer(subscriber)
        this.#startConsumers(groupId)
      }
    })
  }

  #killConsumer(subscriber: Subscriber): void {
    subscriber.endedAtMs = this.#world.now
    subscriber.consumer.kill()
  }

  #handle(seen: Seen, stuckMs: number[]): Handling {
    const { handleMs, handleLateMs, refusedPercent } = this.#plan.setting
    const forMs = this.#healing ? undefined : stuckMs.shift()
    if (forMs !== undefined) {
      this.#faults['handler-stuck']++
      this.#stuck.add(seen)
      this.#world.timeline.after(forMs, () => seen.consumer.acknowledge(seen))
      return 'never'
    }
    if (seen.groupId === LATECOMER) return 'at-once'
    if (!seen.redelivered && this.#prng.chance(refusedPercent)) return 'again'
    const ms = seen.late ? Math.max(handleMs, handleLateMs) : handleMs
    return ms === 0 ? 'at-once' : this.#prng.below(ms)
  }

  /** What becomes of a call of a handler in key order; its key waits for it. */
  #fateOf(text: string, stuckMs: number[]): Fate {
    const forMs = this.#healing ? undefined : stuckMs.shift()
    if (forMs !== undefined) {
      this.#faults['handler-stuck']++
      return { afterMs: Math.min(forMs, KEY_STUCK_MS_MAX) }
    }
    const afterMs = this.#prng.below(Math.min(this.#plan.setting.handleMs, KEY_HANDLE_MS_MAX) + 1)
    if (isPoisoned(text)) return { afterMs, error: POISON }
    return !this.#healing && this.#prng.chance(10) ? { afterMs, error: UNREACHABLE } : { afterMs }
  }

  #fateOfLetter(): Fate {
    const afterMs = this.#prng.between(1, 20)
    return !this.#healing && this.#prng.chance(30) ? { afterMs, error: UNREACHABLE } : { afterMs }
  }

  #send({ producer: index, key: keyIndex, count }: Step & { kind: 'send' }): void {
    const service = this.#services[index]!
    const ready = service.processes.filter(({ producer: { connected, process } }) => {
      return connected && process.state === 'running'
    })
    if (ready.length === 0) return
    for (let i = 0; i < count; i++) {
      const process = ready[i % ready.length]!
      const number = ++process.sent
      const key = `key-${keyIndex}`
      const text = `${service.producerId}/${process.life}/${number}`
      const { producerId } = service
      const sent = process.producer.send(text, { key, headers: { padding: this.#padding } })
      this.#told.push({ sent, producerId, life: process.life, key, number })
    }
  }

  #writeUnstamped({ key: keyIndex, count }: Step & { kind: 'unstamped' }): void {
    const cluster = this.#world.cluster(CLUSTERS[0])
    const key = `key-${keyIndex}`
    const partition = keyRangeOf(Buffer.from(key), this.#plan.setting.partitions)
    if (cluster.state !== 'up' || cluster.log(TOPIC, partition).leader === LEADERLESS) return
    for (let i = 0; i < count; i++) {
      const number = this.#unstamped.length + 1
      const text = `plain/1/${number}`
      cluster.append(TOPIC, partition, { key: Buffer.from(key), value: Buffer.from(text), timestampMs: 0, headers: [] })
      const nowMs = this.#world.now
      const message = { text, producerId: 'plain', life: 1, key, keyRange: partition, number, sentAtMs: nowMs }
      this.#unstamped.push({ ...message, answer: 'acknowledged', answeredAtMs: nowMs })
    }
  }

  #import({ producer: index, timeoutMs }: Step & { kind: 'import' }): void {
    const process = this.#services[index]!.processes.find(({ producer }) => {
      return producer.connected && producer.process.state === 'running'
    })
    if (process === undefined) return
    process.producer.import(timeoutMs)
  }

  /**
   * Messages whose dead letters an import has read, also those that were kept while it waited for its disk. From then on
   * they may come, whatever was said of them; and when a letter is gone, they must.
   */
  get #imported(): ReadonlySet<string> {
    return this.#world.disk.lettersRead
  }

  // --- what happens to it ---------------------------------------------------------------------------------------

  #take(step: Step): void {
    if (step.kind === 'send') this.#send(step)
    else if (step.kind === 'unstamped') this.#writeUnstamped(step)
    else if (step.kind === 'import') this.#import(step)
    else if (this.#happens(step) && isFault(step.kind)) this.#faults[step.kind]++
  }

  /** Returns whether it changed anything. */
  #happens(step: Exclude<Step, { kind: 'send' | 'unstamped' | 'import' }>): boolean {
    const world = this.#world
    const { timeline } = world
    const later = (ms: number, task: () => void): void => {
      timeline.after(ms, () => {
        if (!this.#healing) task()
      })
    }
    switch (step.kind) {
      case 'producer-restart': {
        const service = this.#services[step.producer]!
        const process = service.processes.find(({ producer }) => producer.process.state === 'running')
        if (process === undefined) return false
        service.processes.splice(service.processes.indexOf(process), 1)
        void process.producer.producer.close({ timeoutMs: 10_000 }).then(() => {
          process.closed = true
          if (this.#healing) this.#takeOverJournals()
          if (service.processes.length === 0) this.#startProducer(service)
        })
        return true
      }
      case 'producer-kill': {
        const service = this.#services[step.producer]!
        const process = service.processes.shift()
        if (process === undefined) return false
        process.producer.kill()
        later(step.forMs, () => {
          if (service.processes.length === 0) this.#startProducer(service)
        })
        return true
      }
      case 'producer-stop': {
        const service = this.#services[step.producer]!
        const process = service.processes.find(({ producer }) => producer.process.state === 'running')
        if (process === undefined) return false
        process.producer.stop()
        timeline.after(step.forMs, () => process.producer.continue())
        if (step.replaced && service.processes.length < PROCESSES_MAX) this.#startProducer(service)
        return true
      }
      case 'same-producer-id': {
        const service = this.#services[step.producer]!
        if (service.processes.length !== 1) return false
        this.#startProducer(service)
        return true
      }
      case 'consumer-restart': {
        return this.#close(step.group, step.instance)
      }
      case 'instance-added': {
        const subscription = this.#subscriptions.get(step.group)!
        if (subscription.wanted >= INSTANCES_MAX) return false
        subscription.wanted++
        this.#startConsumers(step.group)
        return true
      }
      case 'instance-removed': {
        const subscription = this.#subscriptions.get(step.group)!
        if (subscription.wanted === 1 || !this.#close(step.group, step.instance)) return false
        subscription.wanted--
        return true
      }
      case 'consumer-kill': {
        const subscriber = this.#alive(step.group, step.instance)
        if (subscriber === undefined) return false
        this.#killConsumer(subscriber)
        later(step.forMs, () => this.#startConsumers(step.group))
        return true
      }
      case 'consumer-stop': {
        const subscriber = this.#alive(step.group, step.instance)
        if (subscriber === undefined || subscriber.consumer.process.state !== 'running') return false
        subscriber.consumer.stop()
        timeline.after(step.forMs, () => subscriber.consumer.continue())
        if (step.replaced && this.#living(step.group).length < INSTANCES_MAX) {
          this.#startConsumer(this.#subscriptions.get(step.group)!)
        }
        return true
      }
      case 'cluster-dead': {
        const cluster = world.cluster(step.cluster)
        if (cluster.state === 'dead') return false
        cluster.kill()
        later(step.forMs, () => cluster.restart())
        return true
      }
      case 'tail-lost':
      case 'tail-refilled':
      case 'cluster-rebuilt': {
        const cluster = world.cluster(step.cluster)
        if (cluster.state === 'dead') return false
        cluster.kill()
        const { life } = cluster
        later(step.forMs, () => {
          // Somebody else has started it again: that was too soon for a power failure.
          if (cluster.life !== life || cluster.state !== 'dead') return
          const count = step.kind === 'cluster-rebuilt' ? Infinity : step.count
          this.#removed(cluster.loseTails(count))
          if (step.kind === 'tail-refilled') this.#cutReadersOff(cluster, step.forMs)
          cluster.restart()
        })
        return true
      }
      case 'log-start-moved':
        for (const log of world.cluster(step.cluster).logs()) this.#removed(log.moveStart(log.end - step.left))
        return true
      case 'cluster-hung': {
        const cluster = world.cluster(step.cluster)
        if (cluster.state !== 'up') return false
        cluster.hang()
        later(step.forMs, () => cluster.resume())
        return true
      }
      case 'cluster-slow': {
        const cluster = world.cluster(step.cluster)
        cluster.slow(step.byMs, step.requests === 'all' ? undefined : step.requests)
        later(step.forMs, () => cluster.slow(0))
        return true
      }
      case 'cluster-flap': {
        const cluster = world.cluster(step.cluster)
        for (let i = 0; i < step.times; i++) {
          later(i * step.everyMs, () => cluster.hang())
          later((i + 0.5) * step.everyMs, () => cluster.resume())
        }
        return true
      }
      case 'partition-leaderless': {
        const cluster = world.cluster(step.cluster)
        const partition = step.partition % this.#plan.setting.partitions
        cluster.leaderless(TOPIC, partition)
        later(step.forMs, () => cluster.lead(TOPIC, partition))
        return true
      }
      case 'answer-lost': {
        const cluster = world.cluster(step.cluster)
        cluster.answerLostPercent = step.percent
        later(step.forMs, () => (cluster.answerLostPercent = 0))
        return false // counted by what got lost
      }
      case 'one-sided-reach': {
        const cluster = world.cluster(step.cluster)
        const process =
          typeof step.who === 'number'
            ? this.#services[step.who]!.processes[0]?.producer.process
            : this.#alive(step.who, step.instance)?.consumer.process
        if (process === undefined) return false
        this.#cutOff(process, cluster, step.forMs)
        return true
      }
      case 'redis-away': {
        world.store.goAway()
        const trouble = this.#troubled({})
        later(step.forMs, () => {
          world.store.comeBack()
          trouble.toMs = world.now
        })
        return true
      }
      case 'redis-away-for-one': {
        const subscriber = this.#alive(step.group, step.instance)
        if (subscriber === undefined) return false
        const { process } = subscriber.consumer
        world.store.cutOff(process)
        const trouble = this.#troubled({ names: [process.name] })
        later(step.forMs, () => {
          world.store.reconnect(process)
          trouble.toMs = world.now
        })
        return true
      }
      case 'redis-rolled-back':
        world.store.rollBack(step.byMs)
        this.#troubled({ forgotSinceMs: world.now - step.byMs }).toMs = world.now
        return true
      case 'redis-emptied':
        world.store.empty()
        this.#troubled({ forgotSinceMs: 0 }).toMs = world.now
        return true
      case 'journal-full': {
        if (this.#plan.setting.journal === 'off') return false
        if (step.by < 0) world.disk.fail()
        else world.disk.full(step.by)
        later(step.forMs, () => world.disk.heal())
        return true
      }
      case 'journal-late': {
        if (this.#plan.setting.journal === 'off') return false
        world.disk.slow(step.by)
        later(step.forMs, () => world.disk.slow(0))
        return true
      }
      case 'journal-torn': {
        const entry = world.disk.tear()
        if (entry === undefined) return false
        this.#torn.add(Buffer.from(entry.value!).toString())
        return true
      }
      case 'clock-back':
      case 'clock-forward': {
        const process = this.#services[step.producer]!.processes[0]?.producer.process
        process?.moveClock(step.kind === 'clock-back' ? -step.byMs : step.byMs)
        return process !== undefined
      }
      case 'consumer-clock': {
        const process = this.#alive(step.group, step.instance)?.consumer.process
        process?.moveClock(step.byMs)
        return process !== undefined
      }
      case 'redis-clock':
        world.store.moveClock(step.byMs)
        return true
      case 'handler-stuck':
        this.#subscriptions.get(step.group)!.stuckMs.push(step.forMs)
        return false // counted when there is a delivery that gets stuck
      case 'refused-for-good': {
        const cluster = world.cluster(step.cluster)
        const { residue } = step
        cluster.refuse(({ value }) => {
          if (value === null) return false
          return residue < 0 || (residue < 2 ? value.length : value.at(-1)! + 2) % 4 === residue
        })
        later(step.forMs, () => cluster.refuse(() => false))
        return true
      }
      default:
        throw step satisfies never
    }
  }

  #living(groupId: string): Subscriber[] {
    return this.#subscriptions.get(groupId)!.instances.filter(({ endedAtMs }) => endedAtMs === undefined)
  }

  #alive(groupId: string, instance = 0): Subscriber | undefined {
    const living = this.#living(groupId)
    return living[instance % living.length]
  }

  /** Closes one in an orderly way, and starts what the group lacks then. */
  #close(groupId: string, instance?: number): boolean {
    const subscriber = this.#alive(groupId, instance)
    if (subscriber === undefined || subscriber.consumer.process.state !== 'running') return false
    void subscriber.consumer.close().then(() => {
      if (subscriber.endedAtMs !== undefined) return
      this.#killConsumer(subscriber)
      this.#startConsumers(groupId)
    })
    return true
  }

  #troubled(trouble: Partial<StoreTrouble>): { toMs: number } {
    const whole = { fromMs: this.#world.now, toMs: Infinity, forgotSinceMs: Infinity, ...trouble }
    this.#storeTroubles.push(whole)
    return whole
  }

  // --- what is bounded ------------------------------------------------------------------------------------------

  /** Memory cannot be seen from outside in one process: for what is held and queued their status is believed. */
  #keepMeasuring(): void {
    const { setting } = this.#plan
    for (const { producer, process } of this.#producers) {
      if (process.state !== 'running') continue
      for (const [cluster, { backlog }] of Object.entries(producer.status().clusters)) {
        this.#measure(
          `bytes queued by ${process.name} for ${cluster}`,
          backlog.bytes,
          setting.backlogBytesMax * (setting.journal === 'off' ? 1 : FOR_DISK) + SLACK_BYTES,
        )
      }
    }
    for (const { consumer, endedAtMs } of this.#subscribers) {
      if (endedAtMs !== undefined || consumer.process.state !== 'running') continue
      const ofOne = setting.heldMessagesMax + setting.readRecordsMax
      const allowed = 2 * setting.partitions * ofOne
      this.#measure(`messages held by ${consumer.process.name}`, consumer.consumer.status().held, allowed)
    }
    this.#world.timeline.after(MEASURE_MS, () => this.#keepMeasuring())
  }

  #measure(what: string, value: number, allowed: number): void {
    const known = this.#measured.get(what)
    if (known === undefined) this.#measured.set(what, { what, peak: value, allowed })
    else known.peak = Math.max(known.peak, value)
  }

  #peaks(): Peak[] {
    const { unacknowledgedMax } = this.#plan.setting
    // Of what was lost or given up, what was handed out is nobody's any more and takes no room.
    const kept = this.#subscribers.filter(({ consumer }) => {
      return consumer.count('lease-lost') === 0 && consumer.count('lease-released') === 0
    })
    const unacknowledged = kept.map(({ consumer }) => {
      const allowed = consumer.groupId === LATECOMER ? 10_000 : unacknowledgedMax
      return {
        what: `unacknowledged deliveries of ${consumer.process.name}`,
        peak: peakOf(consumer.deliveries),
        allowed,
      }
    })
    return [...this.#measured.values(), ...unacknowledged]
  }

  #removed(records: readonly FeedRecord[]): void {
    for (const record of records) {
      this.#lostVoids.handleRecord(record)
      if (record.value !== null) this.#lost.add(record.value.toString())
    }
  }

  /** Messages that some log has voided, and shows that no more: who reads it later may be given what others were not. */
  #blurred(): Set<string> {
    if (this.#lostVoids.size === 0) return new Set()
    const all = this.#world.clusters.flatMap((cluster) => [...cluster.logs()].flatMap((log) => [...log]))
    const blurred = all.filter((record) => record.value !== null && !this.#lostVoids.handleRecord(record))
    return new Set(blurred.map(({ value }) => value!.toString()))
  }

  #cutReadersOff(cluster: SimulatedCluster, forMs: number): void {
    for (const groupId of GROUPS) {
      for (const { consumer } of this.#living(groupId)) {
        this.#cutOff(consumer.process, cluster, forMs)
      }
    }
  }

  #cutOff(process: SimulatedProcess, cluster: SimulatedCluster, forMs: number): void {
    const cutOff = { name: process.name, cluster: cluster.name, fromMs: this.#world.now, toMs: Infinity }
    cluster.cutOff(process)
    this.#cutOffs.push(cutOff)
    this.#world.timeline.after(forMs, () => {
      cutOff.toMs = Math.min(cutOff.toMs, this.#world.now)
      const still = this.#cutOffs.some((other) => {
        return other.name === cutOff.name && other.cluster === cutOff.cluster && other.toMs === Infinity
      })
      if (!still) cluster.reconnect(process)
    })
  }

  /** Messages that a log has lost, and that none has any more: nobody can be given them. */
  #vanished(): Set<string> {
    if (this.#lost.size === 0) return new Set()
    const left = new Set<string>()
    for (const cluster of this.#world.clusters) {
      for (const log of cluster.logs()) for (const text of readable(log)) left.add(text)
    }
    return new Set([...this.#lost].filter((text) => !left.has(text)))
  }

  // --- how it ends ----------------------------------------------------------------------------------------------

  #heal(): void {
    const world = this.#world
    this.#healing = true
    this.#operator.healing = true
    for (const cluster of world.clusters) {
      cluster.restart()
      cluster.heal()
      cluster.hollowPercent = 0
    }
    world.store.comeBack()
    world.disk.heal()
    for (const { consumer } of this.#subscribers) world.store.reconnect(consumer.process)
    for (const cutOff of this.#cutOffs) cutOff.toMs = Math.min(cutOff.toMs, world.now)
    for (const trouble of this.#storeTroubles) trouble.toMs = Math.min(trouble.toMs, world.now)
    for (const producer of this.#producers) producer.continue()
    this.#takeOverJournals()
    for (const { consumer } of this.#subscribers) consumer.continue()
    for (const groupId of GROUPS) this.#startConsumers(groupId)
    world.timeline.after(1, () => {
      for (const seen of this.#stuck) seen.consumer.acknowledge(seen)
    })
  }

  /** What is left on a disk is written by whoever starts on that machine. */
  #takeOverJournals(): void {
    for (const service of this.#services) {
      const machines = [...this.#machines].filter(([path]) => path.startsWith(`/${service.producerId}-`))
      const left = machines.filter(([, process]) => isGone(process))
      for (let count = left.length; count > 0; count--) this.#startProducer(service)
    }
  }

  /** Waits until everything is answered and delivered, as long as I8 allows; returns whether it came to that. */
  async #rest(groups: readonly string[]): Promise<boolean> {
    const world = this.#world
    const untilMs = world.now + restMs(this.#plan.setting) + this.#readingMs()
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
    const world = this.#world
    for (const cluster of world.clusters) {
      if (cluster.name === kept) continue
      for (const log of cluster.logs()) this.#removed(log.moveStart(log.end - left))
    }
    // All is written, also what comes late: from now on it is soon old.
    this.#expiry.ageMs = OLD_MS
    await world.run(OLD_MS + LAST_SEEN_MS + 2 * this.#expiry.everyMs)
    if (kept !== undefined) {
      const cluster = world.cluster(kept)
      cluster.kill()
      await world.run(POWERLESS_MS)
      this.#removed(cluster.loseTails(3))
      cluster.restart()
    }
    for (const restarted of [false, true]) {
      for (const producer of this.#services.keys()) {
        if (restarted) this.#happens({ kind: 'producer-restart', atMs: world.now, producer })
      }
      for (const group of GROUPS) if (restarted) this.#happens({ kind: 'consumer-restart', atMs: world.now, group })
      await world.run(AGED_MS)
      for (const producer of this.#services.keys()) {
        for (let key = 0; key < KEYS_MAX; key++) {
          this.#send({ kind: 'send', atMs: world.now, producer, key, count: this.#prng.between(1, 3) })
        }
      }
      await world.run(AGED_MS)
    }
  }

  /** What a group needs that has to begin anew, since its store forgot all, and that is given one message at a time. */
  #readingMs(): number {
    const { latencyMs, handleMs, refusedPercent } = this.#plan.setting
    const refusedMs = (refusedPercent / 100) * NACK_DELAY_MS
    return (this.#told.length + this.#unstamped.length) * (handleMs + refusedMs + 2 * latencyMs[1])
  }

  #isDone(groups: readonly string[]): boolean {
    if (this.#told.some(({ sent }) => sent.closedAtMs === undefined && sent.producer.process.state !== 'dead')) {
      return false
    }
    const given = this.#givenSoFar()
    const onlyOnDisk = this.#onlyOnDisk()
    const acknowledged = this.#told.filter(({ sent: { receipt, text } }) => {
      return (receipt !== undefined || this.#imported.has(text)) && !onlyOnDisk.has(text)
    })
    const wanted = new Set<string>(acknowledged.map(({ sent }) => sent.text))
    for (const { text } of this.#unstamped) wanted.add(text)
    for (const groupId of groups) for (const text of given.get(groupId) ?? []) wanted.add(text)
    for (const text of this.#vanished()) wanted.delete(text)
    const promised = new Set(acknowledged.map(({ sent }) => sent.text))
    for (const text of this.#blurred()) if (!promised.has(text)) wanted.delete(text)
    return groups.every((groupId) => {
      const texts = given.get(groupId)
      return [...wanted].every((text) => texts?.has(text)) && this.#isHandled(groupId)
    })
  }

  /** Which messages each group was given. */
  #givenSoFar(): ReadonlyMap<string, ReadonlySet<string>> {
    const { seen } = this.#world
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
    return this.#living(groupId).every(({ consumer }) => {
      if (consumer.service === undefined) return true
      return consumer.deliveries.every(({ acknowledgedAtMs, delivery }) => {
        return acknowledgedAtMs !== undefined || delivery.signal.aborted
      })
    })
  }

  /**
   * What a disk has, or had before it was damaged, instead of a cluster; what is among the dead letters says so. What was
   * accepted has no business there, unless both clusters have refused it.
   */
  #onlyOnDisk(): ReadonlyMap<string, Answer> {
    const texts = new Map<string, Answer>([...this.#torn].map((text) => [text, 'unknown']))
    const accepted = new Set(this.#told.filter(({ sent }) => sent.receipt !== undefined).map(({ sent }) => sent.text))
    for (const { value, outcome } of this.#world.disk.letters()) {
      const text = Buffer.from(value!).toString()
      if (accepted.has(text) && !this.#world.clusters.every(({ refused }) => refused.has(text))) continue
      texts.set(text, this.#imported.has(text) ? 'unknown' : outcome)
    }
    return texts
  }

  #cutOffsOfConsumers(): CutOff[] {
    const names = new Set(this.#subscribers.map(({ consumer }) => consumer.process.name))
    return this.#cutOffs.filter(({ name }) => names.has(name))
  }

  #strict(): History['strict'] {
    const { order, partitions } = this.#plan.setting
    // What stood where in a log that has lost something is not known any more.
    if (order === 'late' || this.#lost.size > 0) return undefined
    return { skips: this.#operator.skips, lateWritten: lateWritten(this.#world.clusters, TOPIC, partitions) }
  }

  #played(end: { readonly healedAtMs: number; readonly rested: boolean }): Played {
    const world = this.#world
    const { setting } = this.#plan
    const { partitions } = setting
    this.#faults['late-append'] = sum(world.clusters.map(({ counts }) => counts.lateAppends))
    this.#faults['answer-lost'] = sum(world.clusters.map(({ counts }) => counts.answersLost))
    this.#faults['client-discard'] = sum(this.#producers.map((producer) => producer.count('client-discarded')))
    const onlyOnDisk = this.#onlyOnDisk()
    const vanished = this.#vanished()
    const sent = this.#told.map(({ sent, ...told }): SentMessage => {
      const keyRange = keyRangeOf(Buffer.from(told.key), partitions)
      const { text, atMs: sentAtMs, closedAtMs: answeredAtMs } = sent
      const imported = this.#imported.has(text)
      const answer = onlyOnDisk.get(text) ?? (imported ? 'acknowledged' : answerOf(sent))
      return { ...told, text, keyRange, sentAtMs, answeredAtMs, answer, imported }
    })
    const history: History = {
      ...end,
      groups: this.#subscriptions.has(LATECOMER) ? [...GROUPS, LATECOMER] : GROUPS,
      vanished,
      blurred: this.#blurred(),
      messages: [...sent, ...this.#unstamped],
      lives: this.#subscribers.map(({ consumer, startedAtMs, endedAtMs }): ConsumerLife => {
        const { groupId, process, stops } = consumer
        const deliveries = consumer.deliveries.map((seen) => ({ ...seen, fence: seen.delivery.fence }))
        // What a killed process had not told yet died with it.
        const lateTold = process.state === 'dead' ? undefined : toldOf(consumer, 'delivered-late')
        const owedTold = toldOf(consumer, 'debt-opened')
        const service = consumer.service && {
          handled: consumer.service.handled,
          letters: consumer.service.letters,
          poisoned: isPoisoned,
        }
        return { groupId, name: process.name, startedAtMs, endedAtMs, deliveries, lateTold, owedTold, stops, service }
      }),
      takings: world.store.takings.map(({ partition, ...taking }) => ({ ...taking, keyRange: partition })),
      booked: setting.books ? world.store.effects : undefined,
      strict: this.#strict(),
      storeTroubles: this.#storeTroubles,
      // A client that brings a few records at a time goes on for long with what it has read before.
      cutOffs: this.#plan.setting.readRecordsMax < FEW_RECORDS ? [] : this.#cutOffsOfConsumers(),
      clusterTroubles: this.#plan.steps.flatMap(clusterTroubleOf),
      nothingIsLate: this.#plan.setting.suffering === 'readers',
      carriesOn: carriesOn(this.#plan.setting),
      peaks: this.#peaks(),
    }
    const consumers = this.#subscribers.map(({ consumer }) => consumer)
    return { history, world, producers: this.#producers, consumers, faults: this.#faults }
  }
}

/** What may be asked of the one cluster that nothing happens to. */
function carriesOn({
  suffering,
  acknowledge,
  latencyMs,
  holeTimeoutMs,
  feedAwayAfterMs,
  journal,
}: Setting): CarriesOn | undefined {
  if (suffering === 'all' || suffering === 'readers') return undefined
  const hopsMs = 500 + 25 * latencyMs[1] + (journal === 'off' ? 0 : DISK_MS)
  return {
    sendMsMax: hopsMs + (acknowledge === 'one' ? 0 : CIRCUIT_OPENS_MS),
    deliverMsMax: hopsMs,
    beginMsMax: Math.max(holeTimeoutMs, feedAwayAfterMs) + hopsMs,
  }
}

function clusterTroubleOf(step: Step): Span[] {
  if (!('cluster' in step) || step.kind === 'one-sided-reach' || step.kind === 'refused-for-good') return []
  if (step.kind === 'log-start-moved') return []
  const forMs = step.kind === 'cluster-flap' ? step.times * step.everyMs : step.forMs
  return [{ fromMs: step.atMs, toMs: step.atMs + forMs }]
}

function isGone({ producer, closed }: ProducerProcess): boolean {
  return closed || producer.process.state === 'dead'
}

/** The most deliveries that were unacknowledged at a time; one that came again is finished with its first acknowledgement. */
function peakOf(deliveries: readonly Seen[]): number {
  const acknowledged = new Map<string, number>()
  for (const { text, acknowledgedAtMs = Infinity } of deliveries) {
    acknowledged.set(text, Math.min(acknowledged.get(text) ?? Infinity, acknowledgedAtMs))
  }
  const changes = deliveries
    .filter(({ redelivered }) => !redelivered)
    .flatMap(({ text, atMs }) => [
      { atMs, by: 1 },
      { atMs: acknowledged.get(text)!, by: -1 },
    ])
  // Of the same moment, what is acknowledged makes room for what comes.
  changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by)
  let now = 0
  let peak = 0
  for (const { by } of changes) peak = Math.max(peak, (now += by))
  return peak
}

function answerOf({ receipt, error, producer }: Sent): Answer {
  if (receipt !== undefined) return 'acknowledged'
  if (error === undefined) return producer.process.state === 'dead' ? 'orphaned' : 'open'
  return 'outcome' in error && error.outcome === 'not-written' ? 'not-written' : 'unknown'
}

/** Messages that events of a kind told of. */
function toldOf({ events }: SimulatedConsumer, kind: 'delivered-late' | 'debt-opened'): number {
  return sum(events.map((event) => (event.kind === kind ? event.count : 0)))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Such messages can never be handled. Payloads end with the number of the message. */
function isPoisoned(text: string): boolean {
  return Number(text.split('/').at(-1)) % POISON_EVERY === 0
}

function isFault(kind: string): kind is FaultKind {
  return (FAULTS as readonly string[]).includes(kind)
}

/** Two writes to a disk that is well, one after the other. */
const DISK_MS = 50
const TOPIC = 'entries'
const OLD_MS = 30_000
/** When something was last seen is stored as the next minute. */
const LAST_SEEN_MS = 60_000
/** What a producer or a consumer needs to be there again. */
const AGED_MS = 15_000
const KEYS_MAX = 6
const POWERLESS_MS = 5_000
const PRODUCER_IDS = ['ledger', 'cards']
/** The group that begins to read when all is over. */
const LATECOMER = 'latecomer'
const FEW_RECORDS = 100
/** Processes that send under one producerId at a time. */
const PROCESSES_MAX = 3
const MEASURE_MS = 2_000
const REST_LOOK_MS = 200
const QUIET_MS = 2_000
const POISON_EVERY = 11
const POISON = new Error('can never be handled')
const UNREACHABLE = new Error('away for a moment')
/** One key is handled one by one: it is not to be judged for its load. */
const KEY_HANDLE_MS_MAX = 20
const KEY_STUCK_MS_MAX = 10_000
/** After which a delivery comes again that was asked for again. */
const NACK_DELAY_MS = 1_000
/** A little, so that a journal is full at times. */
const JOURNAL_BYTES_MAX = 1 << 20
/** With a journal, what waits for the disk and what was read back has a quarter more each. */
const FOR_DISK = 1.5
/** What may be under way when the bound is reached. */
const SLACK_BYTES = 20_000
/** A track's circuit: what its client may hold without a report (docs/protocol.md, Lanes and tracks 4), and a look. */
const CIRCUIT_OPENS_MS = 5_000 + 1_000
