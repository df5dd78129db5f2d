import {
  decodeStamp,
  HighWaterStoreFailedError,
  HoleUnknownError,
  LeaseLostError,
  received,
  STAMP_HEADER,
  type Clock,
  type Codec,
  type Stamp,
  type Telemetry,
} from '@tandem/common/internal'

import { Arbiter, type Deliver, type FeedIndex, type HoleOfStream, type Place } from './core/arbiter.js'
import { FEEDS, type Feed } from './core/feed.js'
import { FlushPlan, type PlannedFlush } from './core/flush-plan.js'
import { storedStream } from './core/stored-stream.js'
import { isUnstamped } from './core/unstamped.js'
import { OpenDelivery, type DeliveryOwner } from './delivery.js'
import type { DeliveryHost } from './delivery-host.js'
import { Frames, isFrame } from './frames.js'
import type { Holding, PartitionOfGroup } from './high-water/high-water-store.js'
import {
  checkFinished,
  decodePosition,
  encodeFeed,
  encodeStream,
  feedField,
  finishedIn,
  streamField,
  type StoredPlace,
  type StoredPosition,
} from './high-water/position-codec.js'
import { UNCOMMITTED, type FeedClient, type FeedPosition, type FeedRecord } from './kafka/feed-client.js'
import { recordDigest, wholeDigest } from './kafka/record-digest.js'
import type { Tenant, Tenure } from './leases.js'
import type { ConsumerSettings } from './options.js'

/** What a partition needs of the consumer that it belongs to. */
export interface PartitionHost {
  readonly settings: ConsumerSettings
  readonly clock: Clock
  readonly telemetry: Telemetry
  readonly deliveryHost: DeliveryHost
  /** Random id under which this instance holds its partitions. */
  readonly owner: string
  /** Polling time now. */
  time(): number
  clientOf(feed: FeedIndex): FeedClient | undefined
  deliver(delivery: OpenDelivery): void
  handleAcknowledged(delivery: OpenDelivery): void
  handleRefused(delivery: OpenDelivery, delayMs: number): void
  /** Its lease, which had lapsed, is good again: what was handed out and not acknowledged is to be handed out again. */
  handleRegained(partition: Partition): void
  /** Waits until what was handed out is acknowledged, in bounded time, and what was acknowledged is stored. */
  drain(partition: Partition): Promise<void>
  /** Nothing more of it is delivered or stored. */
  handleEnded(partition: Partition): void
  /** Something was thrown where nothing may be: a bug, or a client that is in no state to be used. */
  handleBroken(error: unknown): void
  /** Something changed that is to be stored. */
  handleChanged(): void
  /** The store has this as the place where a feed resumes. */
  handleConfirmed(feed: FeedIndex, position: FeedPosition): void
}

/**
 * One partition of one topic, from both feeds to the store: hands events to the arbiter and carries out its commands.
 */
export class Partition implements DeliveryOwner, Tenant {
  readonly topic: string
  readonly partition: number
  readonly fence: number
  readonly #host: PartitionHost
  readonly #id: PartitionOfGroup
  readonly #arbiter: Arbiter<FeedRecord>
  readonly #plan: FlushPlan
  readonly #stored: StoredPosition
  readonly #bornMs: number
  readonly #codec: Codec<unknown> | undefined
  readonly #tenure: Tenure
  readonly #frames = new Frames()
  /** Aborted while nothing of it may begin. */
  #abort = new AbortController()
  #lapsedAt: number | undefined
  #draining = false
  #ended = false
  readonly #resumeOffsets: [number, number] = [-1, -1]
  /** Who waits for the first record that a feed brings, or for word that there is none. */
  readonly #lookers: [Looker | undefined, Looker | undefined] = [undefined, undefined]
  /** Skips that are not stored yet, with the flush that carries them. */
  #skips: { readonly number: number; readonly stored: () => void; readonly lost: (error: Error) => void }[] = []

  constructor(host: PartitionHost, id: PartitionOfGroup, holding: Holding, tenure: Tenure) {
    const { settings } = host
    this.#tenure = tenure
    this.topic = id.topic
    this.partition = id.partition
    this.fence = holding.token
    this.#host = host
    this.#id = id
    this.#bornMs = holding.bornMs
    this.#codec = settings.codecs.get(id.topic)
    this.#plan = new FlushPlan(holding.number)
    const intervalsMax = Math.max(INTERVALS_MAX, 2 * settings.unacknowledgedMax)
    const { topic, partition } = id
    this.#arbiter = new Arbiter({ ...settings, topic, partition, intervalsMax }, host.time())
    this.#stored = decodePosition(holding.fields)
    for (const stream of this.#stored.streams) this.#arbiter.restore(stream)
    const forgotten = Object.values(this.#stored.feeds).map(({ forgottenEpoch }) => forgottenEpoch ?? -1)
    this.#arbiter.forgottenEpoch = Math.max(-1, ...forgotten)
    for (const booked of checkFinished(holding.booked ?? [])) this.#arbiter.restoreFinished(booked, host.time())
    for (const feed of FEEDS) {
      const place = this.#stored.feeds[this.#clusterOf(feed)]
      if (place !== undefined) host.handleConfirmed(feed, this.#at(place.resumeOffset))
    }
  }

  get deliveryHost(): DeliveryHost {
    return this.#host.deliveryHost
  }

  /** To look at it is to look at the clock: it is aborted from the moment on at which the lease is not trusted. */
  get signal(): AbortSignal {
    if (!this.#ended && !this.#tenure.trusted) this.#abort.abort()
    return this.#abort.signal
  }

  /** Whether it was lost, given up or broken; nothing of it is delivered or stored any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether nothing more of it is handed out: what was is waited for. */
  get draining(): boolean {
    return this.#draining || this.#ended
  }

  // --- the lease ------------------------------------------------------------------------------------------------

  handleLapsed(): void {
    this.#lapsedAt = this.#host.clock.now()
    this.#host.telemetry.tell({ kind: 'lease-lapsed', ...this.#name() })
    this.#abort.abort()
  }

  handleRegained(): void {
    const lapsedMs = Math.round(this.#host.clock.now() - this.#lapsedAt!)
    this.#lapsedAt = undefined
    this.#abort = new AbortController()
    this.#host.telemetry.tell({ kind: 'lease-regained', ...this.#name(), lapsedMs })
    this.#host.handleRegained(this)
  }

  handleForgotten(): void {
    if (this.#plan.whole) return
    this.#plan.handleForgotten()
    this.#host.telemetry.tell({ kind: 'store-behind', ...this.#name() })
    this.#host.handleChanged()
  }

  handleLost(reason: string): void {
    this.#host.telemetry.tell({ kind: 'lease-lost', ...this.#name(), reason })
    this.end()
  }

  drain(): Promise<void> {
    this.#draining = true
    this.#unassign()
    return this.#host.drain(this)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const look of this.#lookers) look?.(undefined)
    this.#abort.abort()
    if (!this.#draining) this.#unassign()
    for (const { lost } of this.#skips) lost(new LeaseLostError('The partition is not held any more', this.#name()))
    this.#host.handleEnded(this)
  }

  // --- feeds ----------------------------------------------------------------------------------------------------

  /** A feed's cluster can be read: finds out where, and begins. */
  begin(feed: FeedIndex): void {
    const client = this.#host.clientOf(feed)
    if (client === undefined || this.draining) return
    this.#attempt(() => {
      this.#findOut(feed, client, (place) => {
        if (place !== undefined) this.#attempt(() => this.#assign(feed, client, place))
        else this.#host.clock.schedule(this.#host.clock.now() + BEGIN_AGAIN_MS, () => this.begin(feed))
      })
    })
  }

  handleRecord(feed: FeedIndex, record: FeedRecord, time: number): void {
    this.#lookers[feed]?.(record)
    // What a client brings before it was told where to begin is of an earlier assignment.
    if (this.draining || this.#arbiter.feeds[feed].nextOffset < 0) return
    try {
      this.#read(feed, record, time)
    } catch (error) {
      this.#break(error)
    }
  }

  handleEndReached(feed: FeedIndex, offset: number, time: number): void {
    this.#lookers[feed]?.(undefined)
    if (this.draining || this.#arbiter.feeds[feed].nextOffset < 0) return
    this.#attempt(() => this.#arbiter.handleEndReached(feed, offset, time))
  }

  /** A feed was silent, or may have been: its log is to be compared with what was read of it. */
  handleSilence(feed: FeedIndex, time: number): void {
    if (this.draining || this.#arbiter.feeds[feed].nextOffset < 0) return
    this.#attempt(() => this.#arbiter.handleSilence(feed, time))
  }

  // --- time -----------------------------------------------------------------------------------------------------

  /** Whether a hole or the turn of a sequence is waited for. */
  get waits(): boolean {
    return !this.draining && this.#arbiter.waits
  }

  /** Polling time at which it wants `handleDeadline`. */
  deadline(): number {
    return this.draining ? Infinity : this.#arbiter.deadline()
  }

  handleDeadline(time: number): void {
    this.#attempt(() => this.#arbiter.handleDeadline(time))
    this.carryOut(time)
  }

  /** Carries out what the arbiter wants. */
  carryOut(time: number): void {
    if (!this.#ended) this.#attempt(() => this.#carryOut(time))
  }

  /** Finds out what both logs have lost to retention, so that sequences that neither has any more are forgotten. */
  lookForExpired(ageMs: number): void {
    const sinceMs = this.#host.clock.wall() - ageMs
    const clients = FEEDS.map((feed) => this.#host.clientOf(feed))
    if (this.draining || this.#arbiter.streams.size === 0 || clients.includes(undefined)) return
    this.#queryRange(clients[0]!, (one) => {
      this.#queryRange(clients[1]!, (other) => {
        if (this.#ended || one === undefined || other === undefined) return
        this.#arbiter.handleOldest({ starts: [one.start, other.start], ends: [one.end, other.end], sinceMs })
      })
    })
  }

  // --- deliveries -----------------------------------------------------------------------------------------------

  handleAcknowledged(delivery: OpenDelivery): void {
    if (!this.#ended) this.#attempt(() => this.#finish(delivery))
    this.#host.handleAcknowledged(delivery)
  }

  handleRefused(delivery: OpenDelivery, delayMs: number): void {
    this.#host.handleRefused(delivery, delayMs)
  }

  // --- the store ------------------------------------------------------------------------------------------------

  get confirmed(): number {
    return this.#plan.confirmed
  }

  /** Whether everything that changed has been confirmed. */
  get settled(): boolean {
    return this.#ended || this.#plan.settled
  }

  /**
   * Stores what changed since the last confirmed flush. Resolves to whether the store was asked, and so has answered:
   * not if nothing changed, while another flush is under way, or while a store that forgot may not be written anew.
   * @throws HighWaterStoreFailedError `TANDEM_HIGH_WATER_STORE_FAILED`: what was carried goes with the next one.
   */
  async flush(): Promise<boolean> {
    if (this.#ended || (this.#plan.whole && !this.#tenure.mayRestore)) return false
    this.#attempt(() => this.#collect())
    if (this.#ended) return false
    const planned = this.#plan.poll()
    if (planned === undefined) return false
    try {
      await this.#send(planned)
      return true
    } catch (error) {
      this.#plan.handleUnanswered(planned)
      throw error
    }
  }

  /**
   * Goes past a hole at which a stream stands; resolves when that is stored.
   * @throws HoleUnknownError `TANDEM_HOLE_UNKNOWN`
   * @throws LeaseLostError `TANDEM_LEASE_LOST`: it may not be stored.
   */
  async skip(hole: HoleOfStream): Promise<void> {
    const time = this.#host.time()
    let skipped = false
    if (!this.draining) this.#attempt(() => (skipped = this.#arbiter.skip(hole, time)))
    if (!skipped) throw new HoleUnknownError('No stream stands at this hole', { ...this.#name(), ...hole })
    this.carryOut(time)
    this.#host.handleChanged()
    await new Promise<void>((stored, lost) => this.#skips.push({ number: this.#plan.next, stored, lost }))
  }

  #settleSkips(number: number): void {
    for (const skip of this.#skips) if (skip.number <= number) skip.stored()
    this.#skips = this.#skips.filter((skip) => skip.number > number)
  }

  // --- numbers --------------------------------------------------------------------------------------------------

  get status(): PartitionStatus {
    const { topic, partition } = this
    const feeds: Record<string, FeedStatus> = {}
    this.#arbiter.feeds.forEach((feed, index) => {
      feeds[this.#host.settings.clusters[index]!] = {
        nextOffset: feed.nextOffset,
        state: stateOf(feed),
        held: feed.heldMessages,
      }
    })
    let highWater = 0
    let debts = 0
    const stalls: Stall[] = []
    for (const stream of this.#arbiter.streams.values()) {
      for (const sequence of stream.sequences) {
        highWater += sequence.highWater
        debts += sequence.debts
        if (sequence.stall !== undefined && stalls.length < STALLS_TOLD_MAX) {
          const { epoch, incarnation, stall } = sequence
          const { first, count, feeds } = stall
          const clusters = feeds.map((feed) => this.#clusterOf(feed))
          stalls.push({ ...this.#name(), stream: stream.key, epoch, incarnation, first, count, clusters })
        }
      }
    }
    const { duplicatesDropped } = this.#arbiter
    const lease = this.#draining ? 'draining' : this.#lapsedAt !== undefined ? 'lapsed' : 'held'
    const streams = this.#arbiter.streams.size
    return { topic, partition, fence: this.fence, lease, feeds, streams, highWater, debts, stalls, duplicatesDropped }
  }

  /** What is thrown is foreseen by nobody, so what is known of this partition may be wrong from then on. */
  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#break(error)
    }
  }

  /** Nothing more of it is delivered or stored: the next life begins from what was stored when all was well. */
  #break(error: unknown): void {
    this.end()
    this.#host.handleBroken(error)
  }

  /** Where a feed begins; undefined if its cluster does not say. */
  #findOut(feed: FeedIndex, client: FeedClient, done: (place: Place | undefined) => void): void {
    const stored = this.#stored.feeds[this.#clusterOf(feed)]
    if (stored !== undefined) {
      this.#queryRange(client, (range) => done(range && this.#checked(feed, stored, range)))
      return
    }
    if (this.#host.settings.highWater.volatile === true) {
      this.#beginAnew(client, done)
      return
    }
    client.queryCommitted(this, (committed) => {
      if (committed === undefined) done(undefined)
      else if (committed === UNCOMMITTED) this.#beginAnew(client, done)
      else this.#recover(feed, client, committed, done)
    })
  }

  /** The group has never read this feed. */
  #beginAnew(client: FeedClient, done: (place: Place | undefined) => void): void {
    const begin = (offset: number | undefined): void => {
      done(offset === undefined ? undefined : { offset, begins: true })
    }
    if (this.#host.settings.from === 'earliest') client.queryStart(this, begin)
    else client.queryTime(this, this.#bornMs, begin)
  }

  /**
   * The store has lost this feed's place and its cluster has a commit: where to begin, some time and some records before
   * that. A commit has no marks, so what stood there may be gone, and something else stand in its place.
   */
  #recover(feed: FeedIndex, client: FeedClient, committed: number, done: (place: Place | undefined) => void): void {
    this.#queryRange(client, (range) => {
      if (range === undefined) {
        done(undefined)
        return
      }
      const { start, end } = range
      const from = Math.min(committed, end)
      const begin = (offset: number): void => {
        const name = { cluster: this.#clusterOf(feed), ...this.#name() }
        this.#host.telemetry.tell({ kind: 'position-recovered', ...name, committed, from: offset })
        done({ offset, begins: true, recovered: true })
      }
      if (from <= start) {
        begin(start)
        return
      }
      this.#lookAt(feed, client, from - 1, (record) => {
        if (record === undefined || record.timestampMs < 0) {
          begin(start)
          return
        }
        const sinceMs = record.timestampMs - this.#host.settings.fallbackRewindMs
        client.queryTime(this, sinceMs, (offset) => {
          if (offset === undefined) done(undefined)
          else begin(Math.max(start, Math.min(offset, from - REWIND_RECORDS_LEAST)))
        })
      })
    })
  }

  /** Reads one record of a feed that has not begun. `done` is told undefined if there is none, or nothing in time. */
  #lookAt(feed: FeedIndex, client: FeedClient, offset: number, done: Looker): void {
    const { clock } = this.#host
    const look = (record: FeedRecord | undefined): void => {
      if (this.#lookers[feed] !== look) return
      this.#lookers[feed] = undefined
      cancel()
      if (!this.draining) this.#attempt(() => done(record))
    }
    const cancel = clock.schedule(clock.now() + LOOK_MS, () => look(undefined))
    this.#lookers[feed] = look
    client.assign([this.#at(offset)])
  }

  #queryRange(client: FeedClient, done: (range: LogRange | undefined) => void): void {
    client.queryStart(this, (start) => {
      if (start === undefined) done(undefined)
      else client.queryEnd(this, (end) => done(end === undefined ? undefined : { start, end }))
    })
  }

  #read(feed: FeedIndex, record: FeedRecord, time: number): void {
    const stamp = stampOf(record)
    const { offset } = record
    const digest = recordDigest(record)
    const whole = wholeDigest(record, digest)
    const bytes = (record.value?.length ?? 0) + (record.key?.length ?? 0)
    const wallMs = this.#host.clock.wall()
    if ('reason' in stamp) {
      const content = this.#wants(feed, stamp, record) ? { bytes, wallMs, record } : undefined
      this.#arbiter.handleForeign({ feed, offset, wholeDigest: whole, content }, time)
      return
    }
    if (stamp.count === 0) {
      this.#arbiter.handleForeign({ feed, offset, wholeDigest: whole }, time)
      return
    }
    // Every second copy is a duplicate, which nobody unpacks.
    const packed = stamp.kind === 'frame' && !this.#arbiter.knows(stamp)
    const unpacked = packed ? this.#frames.unpack(feed, record, stamp) : record
    if (typeof unpacked === 'string') {
      const name = { cluster: this.#clusterOf(feed), ...this.#name() }
      this.#host.telemetry.tell({ kind: 'frame-malformed', ...name, offset, reason: unpacked })
      this.#arbiter.handleForeign({ feed, offset, wholeDigest: whole }, time)
      return
    }
    const arrival = { feed, offset, stamp, bytes, digest, wholeDigest: whole, wallMs, record: unpacked }
    this.#arbiter.handleRecord(arrival, time)
  }

  /** Whether a record without a stamp that can be read is delivered, or goes to the dead letters. */
  #wants(feed: FeedIndex, { malformed, reason }: NoStamp, { offset }: FeedRecord): boolean {
    const { unstamped } = this.#host.settings
    const cluster = this.#clusterOf(feed)
    if (!malformed && unstamped !== 'event' && 'deliver' in unstamped && unstamped.deliver === cluster) return true
    const kind = malformed ? 'stamp-malformed' : 'record-unstamped'
    this.#host.telemetry.tell({ kind, cluster, ...this.#name(), offset, reason })
    return unstamped !== 'event' && 'deadLetter' in unstamped
  }

  #finish(delivery: OpenDelivery): void {
    const { cause, counter, count } = delivery
    this.#arbiter.handleFinished(cause, counter, counter + count - 1)
    if (delivery.late) this.carryOut(this.#host.time())
    this.#host.handleChanged()
  }

  #carryOut(time: number): void {
    for (let command = this.#arbiter.poll(time); command !== undefined; command = this.#arbiter.poll(time)) {
      switch (command.kind) {
        case 'deliver':
          this.#deliver(command)
          break
        case 'ask-end':
          this.#askEnd(command.feed, command.step)
          break
        case 'ask-start':
          this.#askStart(command.feed)
          break
        case 'pause':
          this.#host.clientOf(command.feed)?.pause([this])
          break
        case 'resume':
          this.#host.clientOf(command.feed)?.resume([this])
          break
        case 'seek':
          this.#seek(command.feed, command.offset)
          break
        case 'tell':
          this.#host.telemetry.tell(command.fact)
          break
        default:
          command satisfies never
      }
    }
    // Also if nothing was delivered: a frontier that went past a hole is to be stored.
    if (this.#arbiter.changed) this.#host.handleChanged()
  }

  #deliver(command: Deliver<FeedRecord>): void {
    if (this.#draining) return
    const { unstamped } = this.#host.settings
    const from = this.#clusterOf(command.feed)
    const buried = isUnstamped(command.stream.producerId) && unstamped !== 'event' && 'deadLetter' in unstamped
    const codec = buried ? undefined : this.#codec
    const { record, first, last } = command
    if (!isFrame(record)) {
      this.#host.deliver(
        new OpenDelivery({ owner: this, cause: command, record, counter: first, count: 1, from, codec }),
      )
    } else if (record.messages instanceof Error) {
      const count = last - first + 1
      const codec = record.messages
      this.#host.deliver(new OpenDelivery({ owner: this, cause: command, record, counter: first, count, from, codec }))
    } else {
      for (let counter = first; counter <= last; counter++) {
        const message = record.messages[counter - record.first]!
        this.#host.deliver(
          new OpenDelivery({ owner: this, cause: command, record: message, counter, count: 1, from, codec }),
        )
      }
    }
  }

  #askEnd(feed: FeedIndex, step: number): void {
    const client = this.#host.clientOf(feed)
    const answer = (end: number | undefined): void => {
      this.#handleAnswer((time) => {
        if (end === undefined) this.#arbiter.handleEndFailed(feed, step, time)
        else this.#arbiter.handleEnd({ feed, step, end }, time)
      })
    }
    if (client === undefined) answer(undefined)
    else client.queryEnd(this, answer)
  }

  /** Without an answer it is asked again with the next end. */
  #askStart(feed: FeedIndex): void {
    this.#host.clientOf(feed)?.queryStart(this, (start) => {
      if (start !== undefined) this.#handleAnswer((time) => this.#arbiter.handleStart({ feed, start }, time))
    })
  }

  #handleAnswer(handle: (time: number) => void): void {
    if (this.draining) return
    const time = this.#host.time()
    this.#attempt(() => handle(time))
    this.carryOut(time)
  }

  /** With librdkafka a pause outlives an assignment; said again, since a full window depends on it. */
  #seek(feed: FeedIndex, offset: number): void {
    const client = this.#host.clientOf(feed)
    client?.assign([this.#at(offset)])
    if (this.#arbiter.feeds[feed].paused) client?.pause([this])
  }

  #assign(feed: FeedIndex, client: FeedClient, place: Place): void {
    if (this.draining) return
    const offset = this.#arbiter.handleAssigned(feed, place)
    client.assign([this.#at(offset)])
    this.carryOut(this.#host.time())
  }

  /** A stored place as the log allows it. Below its start, retention was faster: what only that log had is owed. */
  #checked(feed: FeedIndex, { resumeOffset, marks }: StoredPlace, { start, end }: LogRange): Place {
    if (resumeOffset >= start) return { offset: resumeOffset, log: { marks, start, end } }
    const name = { cluster: this.#clusterOf(feed), topic: this.topic, partition: this.partition }
    this.#host.telemetry.tell({ kind: 'log-start-moved', ...name, from: resumeOffset, to: start })
    return { offset: start, begins: true }
  }

  #collect(): void {
    const { clusters } = this.#host.settings
    if (this.#arbiter.takeShrunk()) this.#plan.handleShrunk()
    const changed = this.#arbiter.takeChanged()
    for (const stream of this.#plan.whole ? this.#arbiter.streams.values() : changed) {
      const stored = storedStream(stream, clusters)
      if (stored !== undefined) this.#plan.handleChanged(streamField(stream.key), encodeStream(stored))
    }
    for (const feed of FEEDS) {
      const cluster = this.#clusterOf(feed)
      // A feed that was not read yet in this life stands where the last one left it.
      const read = this.#arbiter.resumeOffset(feed)
      const stored = this.#stored.feeds[cluster] ?? { resumeOffset: -1, marks: [] }
      const kept = read >= 0 ? { resumeOffset: read, marks: this.#arbiter.marksBefore(feed, read) } : stored
      const place = { ...kept, forgottenEpoch: this.#arbiter.forgottenEpoch }
      const { resumeOffset } = place
      if (resumeOffset < 0 || (resumeOffset === this.#resumeOffsets[feed] && !this.#plan.whole)) continue
      this.#resumeOffsets[feed] = resumeOffset
      this.#plan.handleChanged(feedField(cluster), encodeFeed(place))
    }
  }

  async #send(planned: PlannedFlush): Promise<void> {
    const { settings, telemetry, owner } = this.#host
    const name = this.#name()
    const resumeOffsets = [...this.#resumeOffsets] as const
    const answer = await settings.highWater.flush(this.#id, {
      owner,
      token: this.fence,
      bornMs: this.#bornMs,
      ...planned,
      // Few stores want to know: it is found out for those that do.
      get finished() {
        return finishedIn(planned.fields)
      },
    })
    switch (answer) {
      case 'flushed':
        this.#plan.handleFlushed(planned)
        this.#settleSkips(planned.number)
        this.#confirm(resumeOffsets)
        break
      case 'behind':
        this.#plan.handleBehind(planned)
        telemetry.tell({ kind: 'store-behind', ...name })
        this.#host.handleChanged()
        break
      case 'stale':
        this.#plan.handleUnanswered(planned)
        telemetry.tell({ kind: 'flush-refused', ...name, reason: 'a later flush was executed before' })
        this.#host.handleChanged()
        break
      case 'fenced':
        if (!this.#ended) this.#tenure.handleSuperseded()
        break
      default:
        throw new HighWaterStoreFailedError(`The store answered a flush with ${received(answer satisfies never)}`, name)
    }
  }

  #confirm(resumeOffsets: readonly [number, number]): void {
    if (this.#ended) return
    for (const feed of FEEDS) {
      if (resumeOffsets[feed] >= 0) this.#host.handleConfirmed(feed, this.#at(resumeOffsets[feed]))
    }
  }

  #unassign(): void {
    try {
      for (const feed of FEEDS) {
        const client = this.#host.clientOf(feed)
        // With librdkafka a pause outlives an assignment, and the next one is not to begin with it.
        if (this.#arbiter.feeds[feed].paused) client?.resume([this])
        client?.unassign([this])
      }
    } catch (error) {
      this.#host.handleBroken(error)
    }
  }

  #name(): { topic: string; partition: number } {
    return { topic: this.topic, partition: this.partition }
  }

  #at(offset: number): FeedPosition {
    return { topic: this.topic, partition: this.partition, offset }
  }

  #clusterOf(feed: FeedIndex): string {
    return this.#host.settings.clusters[feed]
  }
}

export interface PartitionStatus {
  readonly topic: string
  readonly partition: number
  /** Token of its lease. */
  readonly fence: number
  /** `lapsed`: it was not renewed in time, and nothing is handed out. `draining`: it is about to be given up. */
  readonly lease: 'held' | 'lapsed' | 'draining'
  readonly feeds: Readonly<Record<string, FeedStatus>>
  /** Streams seen. */
  readonly streams: number
  /** Sum of the high waters of all sequences: messages of the contiguous prefixes that are finished. */
  readonly highWater: number
  /** Messages that delivery went past and that are still owed. */
  readonly debts: number
  /** Streams that stand (`order: 'strict'`), up to 100 of them. */
  readonly stalls: readonly Stall[]
  readonly duplicatesDropped: number
}

/** A hole, or the turn of a sequence, that a stream waits for without end. Names it for `skip()`. */
export interface Hole extends HoleOfStream {
  readonly topic: string
  readonly partition: number
}

export interface Stall extends Hole {
  /** Those of which it is waited for. */
  readonly clusters: readonly string[]
}

export interface FeedStatus {
  /** Offset of the next record to read; -1 before the first contact. */
  readonly nextOffset: number
  /** `paused` or `scanning`: it holds as much as it may, or has held, and waits for the other, or reads on by stamps. */
  readonly state: 'live' | 'paused' | 'scanning' | 'away'
  /** Messages held since they came before their turn. */
  readonly held: number
}

interface NoStamp {
  readonly malformed: boolean
  readonly reason: string
}

function stampOf(record: FeedRecord): Stamp | NoStamp {
  const header = record.headers.find((one) => Object.hasOwn(one, STAMP_HEADER))
  if (header === undefined) return { malformed: false, reason: 'no stamp' }
  try {
    return decodeStamp(header[STAMP_HEADER]!)
  } catch (error) {
    return { malformed: true, reason: error instanceof Error ? error.message : String(error) }
  }
}

function stateOf({ awaySince, scansFrom, paused }: Feed<FeedRecord>): FeedStatus['state'] {
  if (awaySince !== undefined) return 'away'
  if (scansFrom !== undefined) return 'scanning'
  return paused ? 'paused' : 'live'
}

/** Is given a record, or word that there is none. */
type Looker = (record: FeedRecord | undefined) => void

/** Where a log begins, and where its next record will be. */
interface LogRange {
  readonly start: number
  readonly end: number
}

/** position.md, The store: a commit is gone back from by so many records at least. */
const REWIND_RECORDS_LEAST = 1_000
/** A record that does not come in this time is not waited for: reading begins earlier then. */
const LOOK_MS = 10_000
/** Of one sequence; what is unacknowledged alone does not come to so many. */
const INTERVALS_MAX = 100_000
const STALLS_TOLD_MAX = 100
/** A cluster that did not say where its log begins and ends is asked again. */
const BEGIN_AGAIN_MS = 500
