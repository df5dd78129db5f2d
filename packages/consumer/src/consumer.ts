import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

import {
  AlreadySubscribedError,
  ClosedError,
  clustersUnreachable,
  compareClusters,
  HighWaterStoreFailedError,
  HoleUnknownError,
  InvariantError,
  isTandemError,
  missingTopic,
  partitionsOf,
  received,
  StampMalformedError,
  Agenda,
  systemClock,
  Tally,
  Telemetry,
  type Clock,
  type ClusterDescription,
  type TandemError,
  type TandemEvent,
} from '@tandem/common/internal'
import { context } from '@opentelemetry/api'
import { filter, Observable, Subject, type Subscriber } from 'rxjs'

import { Commits } from './commits.js'
import { AckWatch } from './core/ack-watch.js'
import { FEEDS, type FeedIndex } from './core/feed.js'
import { beatMs } from './core/lease.js'
import { PollingClock } from './core/polling-clock.js'
import { Window } from './core/window.js'
import type { Delivery, DeliveryOwner, OpenDelivery } from './delivery.js'
import type { CountedFact, DeliveryHost } from './delivery-host.js'
import { FeedLink } from './feed-link.js'
import { errorKind } from './error-kind.js'
import type { Holding, PartitionOfGroup } from './high-water/high-water-store.js'
import {
  UNCOMMITTED,
  type FeedClient,
  type FeedClientFactory,
  type FeedPosition,
  type FeedRecord,
} from './kafka/feed-client.js'
import { KafkaFeedClient } from './kafka/kafka-feed-client.js'
import { Leases, type Tenure } from './leases.js'
import type { DeadLetter } from './operators/dead-letter.js'
import { readConsumerOptions, type ConsumerOptions, type ConsumerSettings } from './options.js'
import { Partition, type Hole, type PartitionHost, type PartitionStatus } from './partition.js'
import { messageOf, StoreWatch } from './store-watch.js'
import { ConsumerTracing } from './tracing.js'

/** What a consumer touches of the world; the simulator brings its own. */
export interface ConsumerOutsides {
  readonly clock: Clock
  readonly createFeedClient: FeedClientFactory
  /** A random id, unique among all instances. */
  readonly createId: () => string
  /** Where it runs, as others are told. */
  readonly hostName: string
  /** Threads of libuv's pool. */
  readonly threadPoolSize: number
  /** How often it is looked for what can be forgotten, and how old that has to be, ms. */
  readonly expiry: { readonly everyMs: number; readonly ageMs: number }
}

/** Time moves by no less: a remainder that is smaller than the clock can show would be waited for again and again. */
const TICK_MS = 1
/** Threads of libuv's pool unless `UV_THREADPOOL_SIZE` says otherwise. */
const POOL_SIZE_DEFAULT = 4

const REAL: ConsumerOutsides = {
  clock: systemClock,
  createFeedClient: (options, handler) => new KafkaFeedClient(options, handler),
  createId: randomUUID,
  hostName: hostname(),
  threadPoolSize: Number(process.env['UV_THREADPOOL_SIZE'] ?? POOL_SIZE_DEFAULT),
  // Nothing is written again that is older than a day (protocol.md, Lanes and tracks).
  expiry: { everyMs: 3_600_000, ageMs: 86_400_000 },
}

export interface ConsumerStatus {
  /** Random id, under which it holds its partitions. */
  readonly instance: string
  /** Instances of its group that are alive, this one too, as far as it knows. */
  readonly instances: number
  /** Those that it holds. */
  readonly partitions: readonly PartitionStatus[]
  /** Handed to the subscriber and not acknowledged. */
  readonly unacknowledged: number
  readonly delivered: number
  readonly late: number
  readonly duplicatesDropped: number
  readonly held: number
  readonly store: 'answering' | 'away'
}

export interface ConsumerHealth {
  /** The instance can go on; if not, restart it. */
  readonly live: boolean
  /** It reads at least one cluster, and holds partitions or would take them. */
  readonly ready: boolean
  /** It goes on with less than it should have: the reasons, in words. */
  readonly degraded: readonly string[]
}

/**
 * Merges two clusters into one Observable of deliveries, each message once, in the order of its stream.
 *
 * Subscribing to `deliveries$` starts, unsubscribing drains and stops. It errors if the start fails (with the error
 * that `connect()` rejects with), and otherwise only for a bug in tandem: then it stops as by `close()`, and what the
 * bug may have touched is not stored any more, so that nothing is lost and some of it comes again.
 */
export class Consumer<T = unknown> {
  /** What is delivered, late ones too, flagged. One subscription at a time and in all. */
  readonly deliveries$: Observable<Delivery<T>>
  /** A view of what `deliveries$` delivers late; subscribing to it starts nothing. */
  readonly late$: Observable<Delivery<T>>
  readonly events$: Observable<TandemEvent>
  readonly #settings: ConsumerSettings
  readonly #outsides: ConsumerOutsides
  readonly #telemetry: Telemetry
  /** Not there if nobody traces. */
  readonly #tracing: ConsumerTracing | undefined
  readonly #agenda: Agenda
  readonly #polling: PollingClock
  readonly #window: Window
  readonly #watch: AckWatch<OpenDelivery>
  readonly #store: StoreWatch
  readonly #commits: Commits
  /** Facts of operators, each as JSON. */
  readonly #tally = new Tally()
  readonly #links: readonly [FeedLink, FeedLink]
  readonly #descriptions: [ClusterDescription | undefined, ClusterDescription | undefined] = [undefined, undefined]
  /** What keeps a cluster that answered from being one of the two; undefined if nothing does. */
  readonly #misfits: [TandemError | undefined, TandemError | undefined] = [undefined, undefined]
  /** Why a cluster did not answer, the last time that it was tried. */
  readonly #unreachable: [string | undefined, string | undefined] = [undefined, undefined]
  /** Those that are held, by topic and partition, and in the order in which they were acquired. */
  readonly #partitions = new Map<string, (Partition | undefined)[]>()
  readonly #all = new Set<Partition>()
  readonly #host: PartitionHost
  /** From the first contact on: until then nobody knows how many partitions there are. */
  #leases: Leases | undefined
  /** When a cluster last brought or answered something. */
  readonly #heardAt: [number, number] = [-Infinity, -Infinity]
  #probes = 0
  readonly #delivered$ = new Subject<Delivery<T>>()
  #subscriber: Subscriber<Delivery<T>> | undefined
  #connecting: Promise<void> | undefined
  #acquiring: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** For operators: what they have not begun they need not begin. */
  readonly #leaving = new AbortController()
  #handleContact: (() => void) | undefined
  /** Why it could not start, or not go on. */
  #failure: unknown
  #started = false
  #outbox: OpenDelivery[] = []
  #outboxHead = 0
  #emitting = false
  /** What is next and waits for its codec, and when that is told. */
  #decoding: { readonly delivery: OpenDelivery; readonly since: number; toldAt: number } | undefined
  /** What the subscriber has of partitions that are ours: exactly what takes room in the window. */
  readonly #unfinished = new Set<OpenDelivery>()
  /**
   * Of these what was refused and waits to be handed out again, with what takes the timer back; undefined if it waits for
   * its lease, or for the next life.
   */
  readonly #refusals = new Map<OpenDelivery, (() => void) | undefined>()
  #flushAt = Infinity
  #cancelForgetting = (): void => undefined
  #delivered = 0
  #late = 0

  /** @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID` */
  constructor(options: ConsumerOptions, outsides: ConsumerOutsides = REAL) {
    const settings = readConsumerOptions(options)
    const { clock } = outsides
    this.#settings = settings
    this.#outsides = outsides
    const { logger, meter, tracer, groupId } = settings
    this.#telemetry = new Telemetry({ clock, logger, meter, tracer })
    const { spans } = this.#telemetry
    this.#tracing = spans.on ? new ConsumerTracing({ spans, groupId }) : undefined
    this.#agenda = new Agenda(clock, () => this.#wake())
    const { gapTimeoutMs, holeTimeoutMs, feedAwayAfterMs } = this.#settings
    this.#polling = new PollingClock(clock.now(), [gapTimeoutMs, holeTimeoutMs, feedAwayAfterMs])
    this.#polling.handleStopped(clock.now())
    this.#window = new Window({ messagesMax: settings.unacknowledgedMax, bytesMax: settings.unacknowledgedBytesMax })
    this.#watch = new AckWatch(settings)
    this.#store = new StoreWatch({ store: settings.highWater, clock, telemetry: this.#telemetry })
    this.#links = [this.#createLink(0), this.#createLink(1)]
    const clientOf = (feed: FeedIndex): FeedClient | undefined => this.#links[feed].client
    this.#commits = new Commits({ clusters: settings.clusters, clock, telemetry: this.#telemetry, clientOf })
    this.#host = this.#createHost()
    this.events$ = this.#telemetry.events$
    this.late$ = this.#delivered$.pipe(filter((delivery) => delivery.late))
    this.deliveries$ = new Observable((subscriber) => this.#handleSubscribed(subscriber))
  }

  /**
   * Contacts the clusters and the store; called by subscribing too. Resolves with one cluster if the other is away.
   *
   * @throws ClustersUnreachableError `TANDEM_CLUSTERS_UNREACHABLE`: neither answered within `connectTimeoutMs`.
   * @throws TopicMissingError `TANDEM_TOPIC_MISSING`, PartitionsUnequalError `TANDEM_PARTITIONS_UNEQUAL`,
   *   ClusterSharedError `TANDEM_CLUSTER_SHARED`: the clusters are not two copies of these topics.
   * @throws HighWaterStoreFailedError `TANDEM_HIGH_WATER_STORE_FAILED`: nor did the store.
   * @throws HighWaterStoreUnusableError `TANDEM_HIGH_WATER_STORE_UNUSABLE`: no time mends it, so no more is waited for:
   *   a password, a right, a position that cannot be read.
   */
  connect(): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(new ClosedError('The consumer is closed'))
    this.#connecting ??= this.#connect()
    return this.#connecting
  }

  status(): ConsumerStatus {
    const partitions = [...this.#all].map((partition) => partition.status)
    const sum = (number: (status: PartitionStatus) => number): number =>
      partitions.reduce((total, status) => total + number(status), 0)
    return {
      instance: this.#host.owner,
      instances: this.#leases?.instances ?? 1,
      partitions,
      unacknowledged: this.#window.messages,
      delivered: this.#delivered,
      late: this.#late,
      duplicatesDropped: sum(({ duplicatesDropped }) => duplicatesDropped),
      held: sum(({ feeds }) => Object.values(feeds).reduce((total, { held }) => total + held, 0)),
      store: this.#store.away ? 'away' : 'answering',
    }
  }

  health(): ConsumerHealth {
    const degraded: string[] = []
    this.#settings.clusters.forEach((cluster, feed) => {
      const away = [...this.#all].some(({ status }) => status.feeds[cluster]?.state === 'away')
      if (this.#links[feed]!.client === undefined || away) degraded.push(`feed ${cluster} is away`)
    })
    degraded.push(...this.#store.degraded)
    if (this.#decoding?.toldAt === Infinity)
      degraded.push(`the codec of ${this.#decoding.delivery.topic} does not answer`)
    if (this.#watch.overdue > 0) degraded.push(`acknowledgements are overdue: ${this.#watch.overdue}`)
    if (this.#watch.stuck > 0) degraded.push(`deliveries are refused again and again: ${this.#watch.stuck}`)
    if (this.#watch.stalled) degraded.push('the window is full and nothing is acknowledged')
    const lapsed = [...this.#all].filter(({ status }) => status.lease === 'lapsed').length
    if (lapsed > 0) degraded.push(`leases lapsed, of which nothing is delivered: ${lapsed}`)
    const stalls = [...this.#all].reduce((sum, { status }) => sum + status.stalls.length, 0)
    if (stalls > 0) degraded.push(`streams stand: ${stalls}`)
    const live = this.#closing === undefined
    const ready = live && this.#started && this.#links.some(({ client }) => client !== undefined)
    return { live, ready, degraded }
  }

  /**
   * An operator's word for a stream that stands (`stream-stalled`, or `stalls` of `status()`): it goes on, and what is
   * missing is owed from then on, and comes late if it comes. Resolves when that is stored.
   *
   * @throws HoleUnknownError `TANDEM_HOLE_UNKNOWN`: no stream of this instance stands there, or not any more.
   * @throws LeaseLostError `TANDEM_LEASE_LOST`: the partition was lost before that was stored.
   */
  async skip(hole: Hole): Promise<void> {
    const partition = this.#partitions.get(hole?.topic)?.[hole.partition]
    if (partition === undefined) {
      throw new HoleUnknownError(`This instance does not hold the partition: received ${received(hole)}`)
    }
    await partition.skip(hole)
    this.#turn()
  }

  /**
   * Stops reading, waits up to `closeTimeoutMs` for what is unacknowledged, stores the position. Idempotent.
   *
   * Resolves in bounded time, whatever store and clusters do: with both hung, 7 s after `closeTimeoutMs`.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    this.#leaving.abort() // now that what is refused stays refused
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  // --- start ----------------------------------------------------------------------------------------------------

  #handleSubscribed(subscriber: Subscriber<Delivery<T>>): (() => void) | undefined {
    if (this.#subscriber !== undefined) {
      subscriber.error(
        this.#closing === undefined
          ? new AlreadySubscribedError('deliveries$ has a subscriber already; share() it to have more')
          : new ClosedError('The consumer is closed'),
      )
      return undefined
    }
    this.#subscriber = subscriber
    this.connect().then(
      () => this.#start(),
      (error: unknown) => subscriber.error(error), // unless closing has told it already
    )
    return () => void this.close()
  }

  async #connect(): Promise<void> {
    const { clock, threadPoolSize } = this.#outsides
    const until = clock.now() + this.#settings.connectTimeoutMs
    if (threadPoolSize < THREADS_WANTED) {
      this.#telemetry.tell({ kind: 'threads-scarce', poolSize: threadPoolSize, wanted: THREADS_WANTED })
    }
    try {
      await this.#contact(until)
      this.#acquiring = this.#acquire(until)
      await this.#acquiring
      if (this.#closing !== undefined) throw closedBefore()
      this.#store.start()
    } catch (error) {
      if (this.#closing === undefined) this.#failure = error
      await this.close()
      throw error
    }
  }

  /** Until both clusters have answered, or one has and the other was given `SECOND_MS` more. */
  async #contact(until: number): Promise<void> {
    const { clock } = this.#outsides
    let secondUntil = Infinity
    this.#links.forEach((link) => link.connect())
    for (;;) {
      if (this.#closing !== undefined) throw closedBefore()
      const misfit = this.#misfits.find((error) => error !== undefined)
      if (misfit !== undefined) throw misfit
      const answered = this.#descriptions.filter((description) => description !== undefined).length
      const now = clock.now()
      if (answered === 2 || (answered === 1 && now >= secondUntil)) return
      if (answered === 1) secondUntil = Math.min(secondUntil, now + SECOND_MS, until)
      if (answered === 0 && now >= until) {
        const { clusters, connectTimeoutMs } = this.#settings
        throw clustersUnreachable(clusters, this.#unreachable, connectTimeoutMs)
      }
      await new Promise<void>((resolve) => {
        const cancel = clock.schedule(Math.min(until, secondUntil), resolve)
        this.#handleContact = () => {
          cancel()
          resolve()
        }
      })
    }
  }

  /** Finds out whose the partitions are, and takes what is free. */
  async #acquire(until: number): Promise<void> {
    const { groupId, topics } = this.#settings
    const described = this.#descriptions.find((description) => description !== undefined)!
    const ids = topics.flatMap((topic): PartitionOfGroup[] => {
      this.#partitions.set(topic, [])
      return Array.from({ length: partitionsOf(described, topic) }, (_, partition) => ({ groupId, topic, partition }))
    })
    this.#leases = this.#createLeases(ids)
    await this.#lookAtCommits(ids, this.#leases, Math.min(this.#outsides.clock.now() + COMMITS_MS, until))
    try {
      await this.#before(until, this.#leases.start(until))
    } catch (error) {
      throw this.#closing === undefined ? storeFailed(this.#leases.failure ?? error) : closedBefore()
    }
  }

  /** A partition without a record in the store is nobody's only if no cluster has a commit of the group. */
  async #lookAtCommits(ids: readonly PartitionOfGroup[], leases: Leases, until: number): Promise<void> {
    const { clock } = this.#outsides
    const isUncommitted = async (id: PartitionOfGroup, feed: FeedIndex): Promise<boolean> => {
      const client = this.#links[feed].client
      if (this.#settings.highWater.volatile === true) return true
      if (client === undefined || this.#closing !== undefined) return false
      const offset = await new Promise<number | undefined>((resolve) => client.queryCommitted(id, resolve))
      if (offset !== undefined) return offset === UNCOMMITTED
      // A cluster says at once that it does not know yet which of its brokers has the group.
      await this.#pause(COMMITS_AGAIN_MS)
      return clock.now() < until && isUncommitted(id, feed)
    }
    const look = async (id: PartitionOfGroup): Promise<void> => {
      const uncommitted = await Promise.all(FEEDS.map((feed) => isUncommitted(id, feed)))
      if (uncommitted.every((is) => is)) leases.handleUncommitted(id)
    }
    await this.#before(until, Promise.all(ids.map(look))).catch(() => undefined)
  }

  #createLeases(ids: readonly PartitionOfGroup[]): Leases {
    const { settings, clock, telemetry, owner } = this.#host
    return new Leases(
      {
        settings,
        clock,
        telemetry,
        instance: owner,
        hostName: this.#outsides.hostName,
        reads: () => this.#reads(),
        probe: () => this.#probe(ids),
        begin: (id, holding, tenure) => this.#tenant(id, holding, tenure),
        handleStoreAnswered: (asked) => this.#store.handleAnswered(asked),
        handleStoreFailed: (asked, error) => this.#store.handleFailed(asked, error),
        handleBroken: (error) => this.#fail(error),
      },
      ids,
    )
  }

  #tenant(id: PartitionOfGroup, holding: Holding, tenure: Tenure): Partition {
    const partition = new Partition(this.#host, id, holding, tenure)
    this.#partitions.get(id.topic)![id.partition] = partition
    this.#all.add(partition)
    if (this.#started) for (const feed of FEEDS) partition.begin(feed)
    return partition
  }

  #start(): void {
    if (this.#closing !== undefined) return
    this.#started = true
    for (const feed of FEEDS) this.#begin(feed)
    this.#commits.start()
    this.#keepForgetting()
    this.#turn()
  }

  #keepForgetting(): void {
    const { clock, expiry } = this.#outsides
    this.#cancelForgetting = clock.schedule(clock.now() + expiry.everyMs, () => {
      this.#keepForgetting()
      for (const partition of this.#all) partition.lookForExpired(expiry.ageMs)
    })
  }

  #begin(feed: FeedIndex): void {
    if (!this.#started || this.#links[feed].client === undefined) return
    for (const partition of this.#all) partition.begin(feed)
    this.#poll(feed)
  }

  // --- feeds ----------------------------------------------------------------------------------------------------

  #createLink(feed: FeedIndex): FeedLink {
    const { clusters, properties, groupId, topics, connectTimeoutMs } = this.#settings
    const cluster = clusters[feed]
    const timeoutMs = Math.min(Math.ceil(ATTEMPT_PART * connectTimeoutMs), ATTEMPT_MS_MAX)
    const options = { cluster, groupId, properties: properties[feed], topics, connectTimeoutMs: timeoutMs }
    return new FeedLink(this.#outsides, options, {
      handleConnected: (description) => this.#handleDescribed(feed, description),
      handleUnreachable: (reason) => {
        this.#unreachable[feed] = reason
        this.#telemetry.tell({ kind: 'cluster-unreachable', cluster, reason })
      },
      handleBatch: (records, ends) => this.#handleBatch(feed, records, ends),
      handleSilence: () => this.#handleSilence(feed),
      handlePollFailed: (reason) => {
        this.#telemetry.tell({ kind: 'poll-failed', cluster, reason })
        const { clock } = this.#outsides
        clock.schedule(clock.now() + POLL_AGAIN_MS, () => this.#poll(feed))
      },
    })
  }

  /** A cluster that does not fit ends a start. Later it stays out, with one event, until it is found mended. */
  #handleDescribed(feed: FeedIndex, description: ClusterDescription): boolean {
    const { clusters, topics } = this.#settings
    const cluster = clusters[feed]
    const own = { cluster, description }
    const other = this.#descriptions[1 - feed]
    const misfit =
      missingTopic(own, topics) ??
      (other && compareClusters({ cluster: clusters[1 - feed]!, description: other }, own, topics))
    const told = this.#misfits[feed]?.message
    this.#misfits[feed] = misfit
    if (misfit === undefined) {
      this.#descriptions[feed] = description
      this.#telemetry.tell({ kind: 'cluster-connected', cluster })
    } else if (misfit.message !== told) {
      this.#telemetry.tell({ kind: 'cluster-mismatched', cluster, reason: misfit.message })
    }
    this.#handleContact?.()
    if (misfit === undefined) this.#hear(feed)
    if (misfit === undefined) this.#begin(feed)
    return misfit === undefined
  }

  /** Clusters that have shown a sign of life lately, asked with every beat. */
  #reads(): string[] {
    const { clusters, feedAwayAfterMs, leaseMs } = this.#settings
    const since = this.#outsides.clock.now() - feedAwayAfterMs - beatMs(leaseMs)
    return clusters.filter((_, feed) => this.#links[feed]!.client !== undefined && this.#heardAt[feed]! >= since)
  }

  /** Who holds nothing hears nothing from a cluster unless it asks; each time about another partition. */
  #probe(ids: readonly PartitionOfGroup[]): void {
    const asked = ids[this.#probes++ % ids.length]!
    for (const feed of FEEDS) {
      this.#links[feed].client?.queryStart(asked, (start) => {
        if (start !== undefined) this.#hear(feed)
      })
    }
  }

  #hear(feed: FeedIndex): void {
    this.#heardAt[feed] = this.#outsides.clock.now()
  }

  #handleBatch(feed: FeedIndex, records: readonly FeedRecord[], ends: readonly FeedPosition[]): void {
    if (this.#closing !== undefined) return
    if (records.length > 0 || ends.length > 0) this.#hear(feed)
    const time = this.#time()
    // What is in hand was read before a log is compared: carried out is that when all of it was looked at.
    const touched = new Set<Partition>(this.#lookAtStall(time))
    for (const record of records) {
      const partition = this.#find(record.topic, record.partition)
      if (partition === undefined) continue
      partition.handleRecord(feed, record, time)
      touched.add(partition)
    }
    for (const end of ends) {
      const partition = this.#find(end.topic, end.partition)
      if (partition === undefined) continue
      partition.handleEndReached(feed, end.offset, time)
      touched.add(partition)
    }
    for (const partition of touched) partition.carryOut(time)
    if (touched.size > 0) this.#scheduleFlush()
    this.#turn()
    this.#poll(feed)
    this.#arm()
  }

  /** What happens to a log while nobody looks is not seen. */
  #handleSilence(feed: FeedIndex): void {
    if (this.#closing !== undefined) return
    const time = this.#time()
    for (const partition of this.#all) {
      partition.handleSilence(feed, time)
      partition.carryOut(time)
    }
  }

  /** @returns the partitions whose logs are to be compared, since our own clock stood still. */
  #lookAtStall(time: number): Iterable<Partition> {
    if (!this.#polling.takeStall()) return []
    for (const partition of this.#all) for (const feed of FEEDS) partition.handleSilence(feed, time)
    return this.#all
  }

  // --- deliveries -----------------------------------------------------------------------------------------------

  #createHost(): PartitionHost {
    return {
      settings: this.#settings,
      clock: this.#outsides.clock,
      telemetry: this.#telemetry,
      deliveryHost: this.#createDeliveryHost(),
      owner: this.#outsides.createId(),
      time: () => this.#time(),
      clientOf: (feed) => this.#links[feed].client,
      deliver: (delivery) => this.#outbox.push(delivery),
      handleAcknowledged: (delivery) => {
        if (!this.#unfinished.has(delivery)) this.#count({ kind: 'acknowledgement-ignored', topic: delivery.topic })
        this.#forget(delivery)
        this.#watch.handleAcknowledged(this.#outsides.clock.now())
        this.#turn()
      },
      handleRefused: (delivery, delayMs) => this.#handleRefused(delivery, delayMs),
      handleRegained: (partition) => this.#handleRegained(partition),
      drain: (partition) => {
        this.#turn()
        const handlersUntil = this.#outsides.clock.now() + this.#settings.closeTimeoutMs
        // Nobody is helped by a partition that is given up while the store cannot be told what was finished.
        return this.#settle(new Set([partition]), { handlersUntil, storeUntil: Infinity }).then(() => {
          this.#commits.commit()
        })
      },
      handleEnded: (partition) => {
        this.#all.delete(partition)
        this.#commits.handleEnded(partition)
        this.#partitions.get(partition.topic)![partition.partition] = undefined
        this.#store.handleAnswered(partition)
        for (const delivery of this.#unfinished) if (delivery.owner === partition) this.#forget(delivery)
        this.#turn()
      },
      handleBroken: (error) => this.#fail(error),
      handleChanged: () => this.#scheduleFlush(),
      handleConfirmed: (feed, position) => this.#commits.handleConfirmed(feed, position),
    }
  }

  #createDeliveryHost(): DeliveryHost {
    const window = this.#window
    return {
      clock: this.#outsides.clock,
      groupId: this.#settings.groupId,
      closing: this.#leaving.signal,
      get unacknowledged() {
        return window.messages
      },
      get windowFull() {
        return window.full
      },
      tell: (fact) => this.#telemetry.tell(fact),
      count: (fact) => this.#count(fact),
    }
  }

  /** Hands out what the window allows, then reads on if nothing waits to be handed out. */
  #turn(): void {
    if (this.#emitting || this.#closing !== undefined || !this.#started) return
    this.#emitting = true
    /** Of leases that lapsed: they wait until those are regained or lost, and nothing is read meanwhile. */
    const waiting: OpenDelivery[] = []
    while (this.#outboxHead < this.#outbox.length && !this.#window.full) {
      const delivery = this.#outbox[this.#outboxHead]!
      if (!delivery.draining && !delivery.ready) {
        this.#awaitCodec(delivery)
        break
      }
      this.#decoding = undefined
      this.#outboxHead++
      if (delivery.draining) continue
      if (delivery.signal.aborted) {
        waiting.push(delivery)
        continue
      }
      this.#unfinished.add(delivery)
      this.#window.take(delivery.size)
      this.#handOut(delivery)
    }
    if (waiting.length > 0 || this.#outboxHead === this.#outbox.length) {
      this.#outbox = [...waiting, ...this.#outbox.slice(this.#outboxHead)]
      this.#outboxHead = 0
    }
    this.#emitting = false
    this.#watch.handleWindow(this.#window.full, this.#outsides.clock.now())
    this.#agenda.arm(this.#watch.deadline())
    this.#breathe()
  }

  /** It and what follows wait, so that order is kept: a codec that never answers stops everything, but not in silence. */
  #awaitCodec(delivery: OpenDelivery): void {
    if (this.#decoding?.delivery === delivery) return
    const since = this.#outsides.clock.now()
    this.#decoding = { delivery, since, toldAt: since + CODEC_STALL_MS }
    delivery.onReady = () => this.#turn()
    this.#agenda.arm(this.#decoding.toldAt)
  }

  #lookAtCodec(): void {
    const now = this.#outsides.clock.now()
    if (this.#decoding === undefined || now < this.#decoding.toldAt) return
    this.#decoding.toldAt = Infinity
    const { topic, partition, from, offset } = this.#decoding.delivery
    const waitedMs = Math.round(now - this.#decoding.since)
    this.#telemetry.tell({ kind: 'codec-stalled', topic, partition, cluster: from, offset, waitedMs })
  }

  #lookAtAcknowledgements(): void {
    const now = this.#outsides.clock.now()
    if (now < this.#watch.deadline()) return
    this.#watch.handleDeadline(now, this.#unfinished)
    for (let command = this.#watch.poll(); command !== undefined; command = this.#watch.poll()) {
      switch (command.kind) {
        case 'overdue':
          this.#tellOf('acknowledgement-overdue', command.deliveries)
          break
        case 'stuck':
          this.#tellOf('delivery-stalled', command.deliveries)
          break
        case 'stalled': {
          const { messages, bytes } = this.#window
          this.#telemetry.tell({ kind: 'window-stalled', messages, bytes, waitedMs: Math.round(command.waitedMs) })
          break
        }
        default:
          command satisfies never
      }
    }
  }

  /** One fact per partition: what hangs, hangs by the thousand. */
  #tellOf(kind: 'acknowledgement-overdue' | 'delivery-stalled', deliveries: readonly OpenDelivery[]): void {
    const counts = new Map<string, { readonly first: OpenDelivery; count: number }>()
    for (const delivery of deliveries) {
      const name = `${delivery.topic}/${delivery.partition}`
      const known = counts.get(name)
      if (known === undefined) counts.set(name, { first: delivery, count: 1 })
      else known.count++
    }
    for (const { first, count } of counts.values()) {
      const { topic, partition, from: cluster, offset } = first
      this.#telemetry.tell({ kind, topic, partition, cluster, offset, count })
    }
  }

  #count(fact: CountedFact): void {
    this.#tally.handle(JSON.stringify(fact), 1, this.#outsides.clock.now())
    this.#tellCounted()
    this.#agenda.arm(this.#tally.deadline())
  }

  #tellCounted(): void {
    for (let told = this.#tally.poll(); told !== undefined; told = this.#tally.poll()) {
      this.#telemetry.tell({ ...(JSON.parse(told.label) as CountedFact), count: told.count })
    }
  }

  /** Reads on when nothing waits to be handed out, and holds its breath otherwise: every client then has one poll. */
  #breathe(): void {
    const mayRead = this.#outbox.length === 0 && !this.#window.full
    if (mayRead === this.#polling.running) return
    const now = this.#outsides.clock.now()
    if (!mayRead) {
      this.#polling.handleStopped(now)
      return
    }
    this.#polling.handleStarted(now)
    for (const feed of FEEDS) this.#poll(feed)
    this.#arm()
  }

  #poll(feed: FeedIndex): void {
    if (!this.#polling.running || this.#closing !== undefined) return
    try {
      this.#links[feed].poll()
    } catch (error) {
      this.#fail(error)
    }
  }

  /**
   * While closing, or draining, nobody will hand it out again: it stays refused, and comes in the next life. Of a lease
   * that lapsed it comes when that is regained, before what is new.
   */
  #handleRefused(delivery: OpenDelivery, delayMs: number): void {
    if (!this.#unfinished.has(delivery)) return
    if (this.#closing !== undefined || delivery.draining || delivery.signal.aborted) {
      this.#watch.handleGone(delivery)
      this.#refusals.set(delivery, undefined)
      return
    }
    const { clock } = this.#outsides
    this.#watch.handleRefused(delivery, clock.now())
    this.#agenda.arm(this.#watch.deadline())
    this.#refusals.set(
      delivery,
      clock.schedule(clock.now() + delayMs, () => this.#redeliver(delivery)),
    )
  }

  #redeliver(delivery: OpenDelivery): void {
    if (delivery.draining || delivery.signal.aborted) {
      this.#refusals.set(delivery, undefined)
      return
    }
    this.#refusals.delete(delivery)
    this.#handOut(delivery)
  }

  /** It was acknowledged, or its partition was lost: takes no room any more, and is not handed out again. */
  #forget(delivery: OpenDelivery): void {
    if (!this.#unfinished.delete(delivery)) return
    delivery.handleGone()
    this.#window.give(delivery.size)
    this.#watch.handleFinished(delivery)
    this.#refusals.get(delivery)?.()
    this.#refusals.delete(delivery)
  }

  /** What was given back meanwhile is handed out again, in order. */
  #handleRegained(partition: Partition): void {
    const ofIt = [...this.#unfinished].filter((delivery) => delivery.owner === partition)
    for (const delivery of ofIt) {
      if (this.#refusals.has(delivery) && this.#refusals.get(delivery) === undefined) this.#redeliver(delivery)
    }
    this.#turn()
  }

  #handOut(delivery: OpenDelivery): void {
    const { unstamped } = this.#settings
    if (!delivery.stamped && unstamped !== 'event' && 'deadLetter' in unstamped) {
      this.#bury(delivery, unstamped.deadLetter)
      return
    }
    this.#delivered++
    if (delivery.late) this.#late++
    const now = this.#outsides.clock.now()
    delivery.handOut(now, this.#tracing)
    this.#watch.handleHandedOut(now)
    if (this.#tracing === undefined) this.#emit(delivery)
    else context.with(delivery.context, () => this.#emit(delivery))
  }

  /** It is nobody's message. It takes its place in the window until it is kept elsewhere. */
  #bury(delivery: OpenDelivery, deadLetter: DeadLetter): void {
    const { groupId } = this.#settings
    const { topic } = delivery
    delivery.handOut(this.#outsides.clock.now(), undefined)
    const error = new StampMalformedError('A record has no stamp that can be read', { topic, offset: delivery.offset })
    const bury = (): Promise<unknown> => deadLetter(delivery, { error, attempts: delivery.attempt, groupId })
    new Promise((resolve) => resolve(bury())).then(
      () => {
        this.#count({ kind: 'dead-letter-published', topic, reason: errorKind(error) })
        delivery.ack()
      },
      (failure: unknown) => {
        this.#count({ kind: 'dead-letter-failed', topic, reason: errorKind(failure) })
        delivery.nack(failure)
      },
    )
  }

  #emit(delivery: OpenDelivery): void {
    this.#subscriber?.next(delivery as Delivery as Delivery<T>)
    this.#delivered$.next(delivery as Delivery as Delivery<T>)
  }

  // --- time and store -------------------------------------------------------------------------------------------

  #time(): number {
    return this.#polling.read(this.#outsides.clock.now())
  }

  #wake(): void {
    if (this.#closing !== undefined) return
    const time = this.#time()
    for (const partition of this.#lookAtStall(time)) partition.carryOut(time)
    for (const partition of this.#all) if (time >= partition.deadline()) partition.handleDeadline(time)
    if (this.#outsides.clock.now() >= this.#flushAt) this.#flushAll()
    this.#lookAtCodec()
    this.#lookAtAcknowledgements()
    this.#tally.handleDeadline(this.#outsides.clock.now())
    this.#tellCounted()
    this.#turn()
    this.#arm()
  }

  #arm(): void {
    const now = this.#outsides.clock.now()
    const time = this.#time()
    const { toldAt = Infinity } = this.#decoding ?? {}
    let at = Math.min(this.#flushAt, toldAt, this.#watch.deadline(), this.#tally.deadline() ?? Infinity)
    if (this.#polling.running) {
      for (const partition of this.#all) {
        at = Math.min(at, now + Math.max(TICK_MS, partition.deadline() - time))
        // While one is waited for by the clock, a stall of our own has to be noticed.
        if (partition.waits) at = Math.min(at, now + this.#polling.stepMsMax / 2)
      }
      this.#polling.handleArmed(at)
    }
    this.#agenda.arm(at)
  }

  #scheduleFlush(): void {
    if (this.#flushAt !== Infinity) return
    this.#flushAt = this.#outsides.clock.now() + this.#settings.flushIntervalMs
    this.#agenda.arm(this.#flushAt)
  }

  #flushAll(): void {
    this.#flushAt = Infinity
    for (const partition of this.#all) void this.#flush(partition)
  }

  async #flush(partition: Partition): Promise<void> {
    try {
      if (await partition.flush()) this.#store.handleAnswered(partition)
    } catch (error) {
      if (isTandemError(error, 'TANDEM_INVARIANT')) this.#fail(error)
      else this.#store.handleFailed(partition, error)
    }
    if (!partition.settled) this.#scheduleFlush()
  }

  // --- end ------------------------------------------------------------------------------------------------------

  /** Ends `deliveries$` with what nobody foresaw. */
  #fail(error: unknown): void {
    if (this.#closing !== undefined) return
    this.#failure = isTandemError(error)
      ? error
      : new InvariantError(`The consumer cannot go on: ${messageOf(error)}`, {}, error)
    void this.close()
  }

  async #close(): Promise<void> {
    const { clock } = this.#outsides
    const { closeTimeoutMs } = this.#settings
    this.#agenda.close()
    this.#store.stop()
    this.#cancelForgetting()
    this.#handleContact?.()
    this.#outbox = []
    this.#outboxHead = 0
    for (const cancel of this.#refusals.values()) cancel?.()
    const drainedAt = clock.now() + closeTimeoutMs
    this.#leases?.stop()
    await this.#atMost(closeTimeoutMs + STORE_CLOSE_MS, this.#drain(drainedAt))
    this.#commits.stop()
    this.#commits.commit()
    const released = this.#leases?.release()
    const closed = this.#links.map((link) => new Promise<void>((resolve) => link.close(resolve)))
    await this.#atMost(CLIENTS_CLOSE_MS, Promise.allSettled([released, ...closed]))
    for (const delivery of this.#unfinished) delivery.handleGone()
    this.#tally.close(clock.now())
    this.#tellCounted()
    this.#telemetry.close()
    this.#delivered$.complete()
    if (this.#failure === undefined) this.#subscriber?.complete()
    else this.#subscriber?.error(this.#failure)
  }

  async #drain(until: number): Promise<void> {
    await Promise.allSettled([this.#acquiring])
    await this.#settle(this.#all, { handlersUntil: until, storeUntil: until })
  }

  /** What handlers have is waited for, and stored as it is acknowledged; a short look now and then is enough. */
  async #settle(
    partitions: ReadonlySet<Partition>,
    { handlersUntil, storeUntil }: { readonly handlersUntil: number; readonly storeUntil: number },
  ): Promise<void> {
    for (;;) {
      await Promise.all([...partitions].map((partition) => this.#flush(partition)))
      const settled = [...partitions].every((partition) => partition.settled)
      const owners: ReadonlySet<DeliveryOwner> = partitions
      const inHand = [...this.#unfinished].some((one) => owners.has(one.owner) && !this.#refusals.has(one))
      const now = this.#outsides.clock.now()
      if ((settled || now >= storeUntil) && (!inHand || now >= handlersUntil)) return
      await this.#pause(DRAIN_LOOK_MS)
    }
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#outsides
    return new Promise((resolve) => void clock.schedule(clock.now() + ms, resolve))
  }

  /** Waits until it is over, but not longer. */
  async #atMost(ms: number, awaited: Promise<unknown>): Promise<void> {
    await this.#before(this.#outsides.clock.now() + ms, awaited).catch(() => undefined)
  }

  /** What it brings, if it does so in time. Leaves no timer that would keep the process. */
  async #before<T>(until: number, awaited: Promise<T>): Promise<T> {
    let cancel = (): void => undefined
    const late = new Promise<never>((_, reject) => {
      cancel = this.#outsides.clock.schedule(until, () => reject(new Error('no answer in time')))
    })
    return Promise.race([awaited, late]).finally(() => cancel())
  }

  #find(topic: string, partition: number): Partition | undefined {
    return this.#partitions.get(topic)?.[partition]
  }
}

function closedBefore(): ClosedError {
  return new ClosedError('The consumer was closed before it was connected')
}

/** A store is the user's own: it may fail with anything. */
function storeFailed(cause: unknown): TandemError {
  if (isTandemError(cause)) return cause
  return new HighWaterStoreFailedError(`The store did not acquire a position: ${messageOf(cause)}`, {}, cause)
}

/** Once one cluster has answered, a start waits this long for the other: long enough to compare two that are well. */
const SECOND_MS = 1_000
/** What both clusters are given to say what the group has committed; without their word a new group begins a lease later. */
const COMMITS_MS = 3_000
const COMMITS_AGAIN_MS = 100
/** One attempt to contact a cluster: it is over before the start is, to say why it failed. */
const ATTEMPT_PART = 0.9
const ATTEMPT_MS_MAX = 5_000
const POLL_AGAIN_MS = 200
/** Two clusters that hang hold up to four threads each, to poll and to be asked; files and DNS need some too. */
const THREADS_WANTED = 10
/** Far longer than a codec that asks a schema registry. */
const CODEC_STALL_MS = 10_000
const DRAIN_LOOK_MS = 10
/** The last flush is given this long after the last acknowledgement: what Redis is given for a call. */
const STORE_CLOSE_MS = 2_000
/** node-rdkafka's disconnect may hang with its cluster, and so may giving partitions back; nothing depends on them. */
const CLIENTS_CLOSE_MS = 5_000
