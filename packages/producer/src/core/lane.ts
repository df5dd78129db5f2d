/**
 * One cluster, as the producer sees it: a client that comes and goes, and a track per partition.
 *
 * **Tracks.** Those with something to hand over take turns, one record each, as long as the client has room. What sits
 * in the client behind an open circuit does not use up that room: a partition that stands still must not slow down the
 * others of its cluster.
 *
 * **Away.** One open track may be a partition without a leader, which is none of the others' business. A lane is away
 * when tracks of two leaders are open, or when all that are of any use as evidence are: those with work, and those that
 * were acknowledged within the time that opens a circuit; tracks whose partition is known to have no leader do not
 * count. It is also away when it has had no client for as long. Then its client is discarded, since librdkafka cannot
 * be made to let go of records for a broker that hangs: what it held goes back to the fronts of the tracks, in doubt,
 * and a new client is made, after a back-off that doubles with each one that brings nothing. Ids of records are
 * used again only after long, and a discarded client is not listened to.
 *
 * The lane is back when a track is acknowledged and the rule above no longer holds, or, if it had no client, when it
 * has one. The first acknowledgement makes the other tracks probe at once. A probe that is stuck while the lane is away
 * shows that the new client is no better, and it is discarded too.
 *
 * **Memory.** All that a lane holds is bounded by `backlogBytesMax`. Over it, the oldest records that can be spared
 * become voids; they are given up an eighth of the bound at a time, so that looking for them costs little per record.
 * When too little can be spared the lane is full, which stops admission: what nobody has is never given up. With a
 * journal the queue goes on there before anything is given up; what waits for the disk, and what was read back from it,
 * has a quarter of the bound more each.
 */
import { Fifo, type TandemFact } from '@tandem/common/internal'

import type { CircuitLimits } from './circuit.js'
import { Load } from './load.js'
import type { LaneIndex, SealedRecord, VoidReason, VoidRecord, Write } from './record.js'
import type { Sequence } from './sequencer.js'
import { Track } from './track.js'
import type { WriteFailure } from './write-failure.js'

export type LaneCommand =
  | { readonly kind: 'connect' }
  | { readonly kind: 'produce'; readonly id: number; readonly write: Write }
  /** The client is given up; nothing it says counts any more. */
  | { readonly kind: 'discard' }
  /** Ask the client for brokers and leaders again. */
  | { readonly kind: 'describe' }
  | { readonly kind: 'acknowledged'; readonly record: SealedRecord }
  | { readonly kind: 'voided'; readonly record: SealedRecord }
  /** Put on disk what waits behind the disk; the answers are `handleDurable` or `handleRefused`. */
  | { readonly kind: 'spill'; readonly topic: string; readonly partition: number }
  /** Read on from this place of the journal; the answer is `handleLoaded` or `handleLoadFailed`. */
  | { readonly kind: 'load'; readonly topic: string; readonly partition: number; readonly place: number }
  /** The lane has the record in memory no longer; the journal has it. */
  | { readonly kind: 'left'; readonly record: SealedRecord }
  | { readonly kind: 'away' }
  /** It takes nothing of this partition any more. */
  | { readonly kind: 'track-away'; readonly track: { readonly topic: string; readonly partition: number } }
  /** A void that was asked for is in the log, or never will be. */
  | { readonly kind: 'void-answered'; readonly write: VoidRecord; readonly written: boolean }
  /** A partition can be taken again. */
  | { readonly kind: 'reach' }
  | { readonly kind: 'tell'; readonly fact: TandemFact }

export interface LaneOptions {
  readonly cluster: string
  readonly index: LaneIndex
  readonly circuit: CircuitLimits
  readonly backlogBytesMax: number
  /** Records in the client; in bytes it is a quarter of `backlogBytesMax`. A single track gets a quarter of both. */
  readonly inClientMax: number
  /** See the track's. */
  readonly copyAgeMaxMs?: number | undefined
  /** Where the queue may go on, if there is a journal. */
  readonly journal?: { readonly usable: boolean } | undefined
}

type ClientState =
  | { readonly kind: 'none' }
  | { readonly kind: 'waiting'; readonly until: number }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }

type Presence =
  { readonly kind: 'here' } | { readonly kind: 'away'; readonly since: number; readonly reason: AwayReason }

type AwayReason = 'no-client' | 'two-leaders' | 'all-tracks'

export class Lane {
  readonly cluster: string
  readonly index: LaneIndex
  readonly load = new Load()
  readonly #circuitLimits: CircuitLimits
  readonly #backlogBytesMax: number
  readonly #journal: LaneOptions['journal']
  readonly #copyAgeMaxMs: number | undefined
  readonly #inClientMax: number
  readonly #inClientBytesMax: number
  readonly #tracks: Track[] = []
  readonly #trackOf = new Map<string, (number | undefined)[]>()
  /** Leaders by topic and partition, as last described; tracks are made as they are needed. */
  readonly #leaders = new Map<string, readonly number[]>()
  /** Tracks that may have something to hand over, in turn. */
  readonly #ready = new Fifo<number>()
  readonly #isReady: boolean[] = []
  readonly #open = new Set<Track>()
  #judgeDue = false
  #describedAt = -Infinity
  #client: ClientState = { kind: 'none' }
  #withoutClientSince: number | undefined
  #backOffMs: number
  #presence: Presence = { kind: 'here' }
  #handOverAt = -Infinity
  /** When tracks whose journal could not be read ask again. */
  #readOnAt = Infinity
  #deadline = Infinity
  readonly #commands = new Fifo<LaneCommand>()

  constructor(options: LaneOptions) {
    this.cluster = options.cluster
    this.index = options.index
    this.#circuitLimits = options.circuit
    this.#backlogBytesMax = options.backlogBytesMax
    this.#journal = options.journal
    this.#copyAgeMaxMs = options.copyAgeMaxMs
    this.#inClientMax = options.inClientMax
    this.#inClientBytesMax = options.backlogBytesMax / 4
    this.#backOffMs = options.circuit.probeAfterMs
  }

  get connected(): boolean {
    return this.#client.kind === 'connected'
  }

  get away(): boolean {
    return this.#presence.kind === 'away'
  }

  /** Holds as much as it may, and can spare nothing worth while. */
  get full(): boolean {
    return this.fullWith(0)
  }

  /** Whether it would be, with so much more that is on its way here. */
  fullWith(bytes: number): boolean {
    const over = this.load.bytes + bytes - this.#bytesMax
    return over > 0 && this.load.spareBytes < Math.max(over, this.#lumpBytes)
  }

  /** What is given up at a time, and the least that is worth it. */
  get #lumpBytes(): number {
    return this.#backlogBytesMax / 8
  }

  /** Nothing is left to write or to void. */
  get drained(): boolean {
    return this.load.records === 0 && this.load.voids === 0 && this.load.onDisk === 0
  }

  /** With a journal that takes records, there may be a little more that waits for it. */
  get #bytesMax(): number {
    return this.#backlogBytesMax * (this.#journal?.usable === true ? 1 + FOR_DISK : 1)
  }

  /** What one read from disk may bring. */
  get readBytesMax(): number {
    return Math.min(READ_BYTES_MAX, this.#backlogBytesMax * READ_PART)
  }

  /** With all that is being read already. */
  get #mayRead(): boolean {
    const { bytes, reading } = this.load
    return bytes + (reading + 1) * this.readBytesMax <= this.#backlogBytesMax * (1 + FOR_DISK)
  }

  get #spills(): boolean {
    return this.#journal?.usable === true && this.load.bytes > this.#backlogBytesMax
  }

  get tracks(): readonly Track[] {
    return this.#tracks
  }

  /** Whether a new record of this partition would be handed over now, or soon. */
  takes(topic: string, partition: number): boolean {
    if (this.#client.kind !== 'connected' || this.#presence.kind === 'away') return false
    if (this.#open.size === 0) return true
    const index = this.#trackOf.get(topic)?.[partition]
    return index === undefined || this.#tracks[index]!.circuit === 'closed'
  }

  start(now: number): void {
    this.#withoutClientSince = now
    this.#connect()
    this.#due(now + this.#circuitLimits.silenceMsMax)
  }

  handleSealed(record: SealedRecord): void {
    const index = this.#indexOf(record.topic, record.partition)
    this.#tracks[index]!.handleSealed(record, this.#spills)
    this.#wake(index)
    this.#bound()
  }

  /** The journal takes records again, or does not any more. */
  handleJournal(): void {
    if (this.#spills) for (const track of this.#tracks) track.spill()
    this.#bound()
  }

  /** An earlier life left these places of a partition. */
  handleFound(found: { topic: string; partition: number; from: number; to: number }): void {
    const index = this.#indexOf(found.topic, found.partition)
    this.#tracks[index]!.handleFound(found.from, found.to)
    this.#wake(index)
  }

  takeUnspilled(topic: string, partition: number): SealedRecord[] {
    return this.#tracks[this.#indexOf(topic, partition)]!.takeUnspilled()
  }

  /** Records in memory that are still to be written here. */
  left(): SealedRecord[] {
    return this.#tracks.flatMap((track) => track.left())
  }

  handleDurable(record: SealedRecord): void {
    this.#trackFor(record).handleDurable(record)
  }

  handleRefused(record: SealedRecord): void {
    this.#trackFor(record).handleRefused(record)
    this.#bound()
  }

  handleLoaded(topic: string, partition: number, records: readonly SealedRecord[], next: number): void {
    const index = this.#indexOf(topic, partition)
    this.#tracks[index]!.handleLoaded(records, next)
    this.#touch(index)
  }

  handleLoadFailed(topic: string, partition: number, now: number): void {
    this.#tracks[this.#indexOf(topic, partition)]!.handleLoadFailed()
    this.#readAgain(now + READ_AGAIN_MS)
  }

  /** The other lane's cluster has acknowledged the record. */
  handleElsewhere(record: SealedRecord, now: number): void {
    this.#trackFor(record).handleElsewhere(record, now)
    this.#bound()
  }

  /** Its `send()` was rejected, and it may yet be written. */
  handleUnpromised(record: SealedRecord): void {
    this.#trackFor(record).handleUnpromised(record)
    this.#bound()
  }

  giveUp(record: SealedRecord, reason: VoidReason): void {
    const index = this.#indexOf(record.topic, record.partition)
    this.#tracks[index]!.giveUpRecord(record, reason)
    this.#touch(index)
  }

  /** Voids counters of any life, and says so by `void-answered`; see `Track.void`. */
  void(sequence: Sequence, first: number, last: number): void {
    const index = this.#indexOf(sequence.topic, sequence.partition)
    this.#tracks[index]!.void(sequence, first, last)
    this.#touch(index)
  }

  /** The journal knows for good that a record which was refused will not be written here. */
  voidRefused(record: SealedRecord): void {
    const index = this.#indexOf(record.topic, record.partition)
    this.#tracks[index]!.voidRefused(record)
    this.#touch(index)
  }

  /** Below which offset the log cannot hold what no client has had yet. */
  end(topic: string, partition: number): number {
    return this.#tracks[this.#indexOf(topic, partition)]!.end
  }

  /** Below which offset this cluster's log cannot hold the record. */
  from(record: SealedRecord): number {
    return this.#trackFor(record).from(record)
  }

  /** A broker has answered and the topics are as they should be. */
  handleConnected(now: number): void {
    if (this.#client.kind !== 'connecting') return
    this.#client = { kind: 'connected' }
    this.#describedAt = now
    this.#withoutClientSince = undefined
    this.#tell({ kind: 'cluster-connected', cluster: this.cluster })
    for (let index = 0; index < this.#tracks.length; index++) {
      this.#tracks[index]!.handleHope(now)
      this.#touch(index)
    }
    this.#judgeDue = true
    this.#commands.push({ kind: 'reach' })
    this.#due(now + DESCRIBE_EVERY_MS)
  }

  /** Another client has taken the place of the one in use; what that held is in doubt. */
  handleReplaced(now: number): void {
    if (this.#client.kind !== 'connected') return
    let inDoubt = 0
    for (let index = 0; index < this.#tracks.length; index++) {
      inDoubt += this.#tracks[index]!.handleDiscarded(now)
      this.#touch(index)
    }
    this.#tell({ kind: 'client-discarded', cluster: this.cluster, reason: 'replaced', inDoubt })
    this.#tell({ kind: 'cluster-connected', cluster: this.cluster })
  }

  /** There is reason to think that a connection succeeds now: no pause before the next attempt. */
  handleHope(now: number): void {
    this.#backOffMs = this.#circuitLimits.probeAfterMs
    if (this.#client.kind !== 'waiting') return
    this.#client = { kind: 'waiting', until: now }
    this.#due(now)
  }

  /** No broker answered. */
  handleConnectFailed(reason: string, now: number): void {
    if (this.#client.kind !== 'connecting') return
    this.#tell({ kind: 'cluster-unreachable', cluster: this.cluster, reason })
    this.#letGo(now)
  }

  /** The cluster is not what it should be: nothing more is written to it until a later client finds it mended. */
  handleMismatched(reason: string, now: number): void {
    if (this.#client.kind !== 'connecting' && this.#client.kind !== 'connected') return
    this.#tell({ kind: 'cluster-mismatched', cluster: this.cluster, reason })
    if (this.#client.kind === 'connected') this.#discard('mismatched', now)
    else this.#letGo(now)
  }

  /** Leaders of a topic's partitions, in order. */
  handleLeaders(topic: string, leaders: readonly number[]): void {
    this.#leaders.set(topic, leaders)
    for (const [partition, index] of (this.#trackOf.get(topic) ?? []).entries()) {
      if (index !== undefined) this.#tracks[index]!.leader = leaders[partition]
    }
  }

  handleReport(id: number, offset: number, failure: WriteFailure | undefined, now: number): void {
    const index = id % TRACKS_MAX
    const serial = Math.floor(id / TRACKS_MAX)
    const track = this.#tracks[index]
    if (track === undefined) return
    const ours =
      failure === undefined ? track.handleAcknowledged(serial, offset, now) : track.handleFailed(serial, failure, now)
    if (!ours) return // from a client that was discarded
    this.#touch(index)
    if (failure === undefined && offset >= 0) {
      this.#backOffMs = this.#circuitLimits.probeAfterMs
      if (this.#presence.kind === 'away') this.#hope(now)
    }
    if (failure !== undefined) this.#bound()
    if (failure?.kind === 'fatal') this.handleFatal(failure.reason, now)
  }

  /** `produce` failed at once: the record was not handed over, or it was and this is its report. */
  handleProduceFailed(id: number, failure: WriteFailure, now: number): void {
    if (failure.kind === 'queue-full') this.#handOverAt = now + QUEUE_FULL_PAUSE_MS
    const index = id % TRACKS_MAX
    const track = this.#tracks[index]!
    if (failure.kind === 'fatal') {
      track.handleNotTaken(Math.floor(id / TRACKS_MAX))
      this.#touch(index)
      this.handleFatal(failure.reason, now)
      return
    }
    this.handleReport(id, -1, failure, now)
    this.#due(this.#handOverAt)
  }

  handleFatal(reason: string, now: number): void {
    if (this.#client.kind === 'connected') this.#discard(reason, now)
  }

  close(): void {
    if (this.#client.kind === 'connected' || this.#client.kind === 'connecting')
      this.#commands.push({ kind: 'discard' })
    this.#client = { kind: 'none' }
    this.#withoutClientSince = undefined
    this.#deadline = Infinity
  }

  /** When the oldest record that is still to be acknowledged here was sealed, or undefined. */
  oldestSealedAt(): number | undefined {
    let oldest: number | undefined
    for (const { oldestSealedAt } of this.#tracks) {
      if (oldestSealedAt !== undefined && (oldest === undefined || oldestSealedAt < oldest)) oldest = oldestSealedAt
    }
    return oldest
  }

  /** Since when the other cluster has the oldest record that this one lacks, of those in memory. */
  oldestExposedAt(): number | undefined {
    const since = this.#tracks.map((track) => track.oldestExposedAt ?? Infinity)
    const oldest = Math.min(...since)
    return oldest === Infinity ? undefined : oldest
  }

  poll(now: number): LaneCommand | undefined {
    if (this.#judgeDue) this.#judge(now)
    return this.#commands.shift() ?? this.#produce(now)
  }

  deadline(): number | undefined {
    return this.#deadline === Infinity ? undefined : this.#deadline
  }

  handleDeadline(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    let stuck = false
    let owes = false
    for (let index = 0; index < this.#tracks.length; index++) {
      const track = this.#tracks[index]!
      const before = track.circuit
      track.handleDeadline(now)
      if (before === 'half-open' && track.circuit === 'open') stuck = true
      if (track.waitingSince !== undefined && now - track.waitingSince >= REPORT_MS_MAX) owes = true
      this.#touch(index)
    }
    if (now >= this.#readOnAt) {
      this.#readOnAt = Infinity
      for (let index = 0; index < this.#tracks.length; index++) this.#wake(index)
    } else this.#due(this.#readOnAt)
    this.#judge(now)
    if (stuck && this.away && this.connected) this.#discard('probe stuck', now)
    if (owes && this.connected) this.#discard('report lost', now)
    this.#handleClientDeadline(now)
    if (this.#handOverAt > now) this.#due(this.#handOverAt)
  }

  #handleClientDeadline(now: number): void {
    const client = this.#client
    switch (client.kind) {
      case 'none':
        return
      case 'waiting':
        if (now >= client.until) this.#connect()
        else this.#due(client.until)
        break
      case 'connecting':
        break
      case 'connected':
        if (now - this.#describedAt >= DESCRIBE_EVERY_MS) this.#describe(now)
        this.#due(this.#describedAt + DESCRIBE_EVERY_MS)
        return
      default:
        throw client satisfies never
    }
    if (!this.away && this.#withoutClientSince !== undefined) {
      this.#due(this.#withoutClientSince + this.#circuitLimits.silenceMsMax)
    }
  }

  #produce(now: number): LaneCommand | undefined {
    if (this.#client.kind !== 'connected' || now < this.#handOverAt) return undefined
    while (this.#ready.size > 0 && this.#hasRoom) {
      const index = this.#ready.shift()!
      this.#isReady[index] = false
      const track = this.#tracks[index]!
      const mayRead = this.#mayRead
      const taken = track.take(now, mayRead)
      if (taken === undefined) {
        if (!mayRead && track.mustRead) this.#readAgain(now + NO_ROOM_PAUSE_MS)
        this.#after(index) // it must wait for something: whatever that is, wakes it
        const command = this.#commands.shift()
        if (command !== undefined) return command
        continue
      }
      this.#wake(index)
      this.#due(track.deadline())
      return { kind: 'produce', id: taken.serial * TRACKS_MAX + index, write: taken.write }
    }
    return undefined
  }

  get #hasRoom(): boolean {
    return this.load.inClient < this.#inClientMax && this.load.inClientBytes < this.#inClientBytesMax
  }

  #readAgain(at: number): void {
    this.#readOnAt = Math.min(this.#readOnAt, at)
    this.#due(this.#readOnAt)
  }

  #connect(): void {
    this.#client = { kind: 'connecting' }
    this.#commands.push({ kind: 'connect' })
  }

  /** Gives the client up, whatever it holds, and sees to the next one. */
  #discard(reason: string, now: number): void {
    let inDoubt = 0
    for (let index = 0; index < this.#tracks.length; index++) {
      inDoubt += this.#tracks[index]!.handleDiscarded(now)
      this.#touch(index)
    }
    this.#withoutClientSince = now
    this.#tell({ kind: 'client-discarded', cluster: this.cluster, reason, inDoubt })
    this.#letGo(now)
    this.#bound() // what was in the client can be spared now
  }

  #letGo(now: number): void {
    this.#judgeDue = true
    this.#commands.push({ kind: 'discard' })
    this.#client = { kind: 'waiting', until: now + this.#backOffMs }
    this.#due(now + this.#backOffMs)
    this.#backOffMs = Math.min(this.#backOffMs * 2, this.#circuitLimits.probeAfterMsMax)
    if (!this.away) this.#due(now + this.#circuitLimits.silenceMsMax)
  }

  /** A track was acknowledged while the lane was away: let the others try. */
  #hope(now: number): void {
    for (let index = 0; index < this.#tracks.length; index++) {
      if (!this.#open.has(this.#tracks[index]!)) continue
      this.#tracks[index]!.handleHope(now)
      this.#touch(index)
    }
  }

  /** Is the lane here or away? And if it has just gone, its client goes too. */
  #judge(now: number): void {
    this.#judgeDue = false
    const reason = this.#awayReason(now)
    if (this.#presence.kind === 'here') {
      if (reason === undefined) {
        if (this.#open.size > 0) this.#watch(now)
        return
      }
      this.#presence = { kind: 'away', since: now, reason }
      this.#tell({ kind: 'lane-away', cluster: this.cluster, reason })
      this.#commands.push({ kind: 'away' })
      if (this.#client.kind === 'connected') this.#discard(reason, now)
      return
    }
    if (reason !== undefined || !this.connected) return
    this.#tell({ kind: 'lane-returned', cluster: this.cluster, awayMs: now - this.#presence.since })
    this.#presence = { kind: 'here' }
    this.#commands.push({ kind: 'reach' })
  }

  /** Some tracks are open, the lane is here: judge again soon, and learn who leads them now. */
  #watch(now: number): void {
    this.#due(now + JUDGE_EVERY_MS)
    if (this.connected && now - this.#describedAt >= this.#circuitLimits.silenceMsMax) this.#describe(now)
  }

  #describe(now: number): void {
    this.#describedAt = now
    this.#commands.push({ kind: 'describe' })
  }

  #awayReason(now: number): AwayReason | undefined {
    const silenceMsMax = this.#circuitLimits.silenceMsMax
    if (this.#withoutClientSince !== undefined && now - this.#withoutClientSince >= silenceMsMax) return 'no-client'
    const leaders = new Set<number | undefined>()
    for (const track of this.#open) if (track.leader !== LEADERLESS) leaders.add(track.leader)
    if (leaders.size === 0) return undefined
    if (leaders.size > 1) return 'two-leaders'
    for (const track of this.#tracks) {
      if (this.#open.has(track) || track.leader === LEADERLESS) continue
      if (track.busy || now - track.acknowledgedAt < silenceMsMax) return undefined
    }
    return 'all-tracks'
  }

  /** Takes up whether a track's circuit is open, and when it wants to be looked at. */
  #after(index: number): void {
    const track = this.#tracks[index]!
    const open = track.circuit !== 'closed'
    if (open !== this.#open.has(track)) {
      this.#judgeDue = true
      if (open) {
        this.#open.add(track)
        this.#commands.push({ kind: 'track-away', track })
      } else {
        this.#open.delete(track)
        this.#commands.push({ kind: 'reach' })
      }
    }
    this.#due(track.deadline())
  }

  /** After an event on a track. */
  #touch(index: number): void {
    this.#after(index)
    this.#wake(index)
  }

  #wake(index: number): void {
    if (this.#isReady[index] === true || !this.#tracks[index]!.waiting) return
    this.#isReady[index] = true
    this.#ready.push(index)
  }

  #bound(): void {
    const over = this.load.bytes - this.#bytesMax
    if (over <= 0 || this.load.spareBytes < this.#lumpBytes) return
    // Each track gives up its oldest, in proportion to what it can spare.
    const share = Math.min(1, (over + this.#lumpBytes) / this.load.spareBytes)
    let messages = 0
    for (let index = 0; index < this.#tracks.length; index++) {
      const track = this.#tracks[index]!
      if (track.spareBytes === 0) continue
      messages += track.giveUp(track.spareBytes * share)
      this.#touch(index)
    }
    this.#tell({ kind: 'record-given-up', cluster: this.cluster, count: messages, reason: 'backlog' })
    if (!this.full) this.#commands.push({ kind: 'reach' })
  }

  #trackFor(record: SealedRecord): Track {
    return this.#tracks[this.#indexOf(record.topic, record.partition)]!
  }

  #indexOf(topic: string, partition: number): number {
    let partitions = this.#trackOf.get(topic)
    if (partitions === undefined) this.#trackOf.set(topic, (partitions = []))
    return (partitions[partition] ??= this.#addTrack(topic, partition))
  }

  #addTrack(topic: string, partition: number): number {
    const track = new Track({
      cluster: this.cluster,
      lane: this.index,
      topic,
      partition,
      circuit: this.#circuitLimits,
      inClientMax: Math.max(1, Math.floor(this.#inClientMax / 4)),
      inClientBytesMax: Math.max(1, Math.floor(this.#inClientBytesMax / 4)),
      copyAgeMaxMs: this.#copyAgeMaxMs,
      load: this.load,
      outbox: this.#commands,
    })
    track.leader = this.#leaders.get(topic)?.[partition]
    this.#isReady.push(false)
    return this.#tracks.push(track) - 1
  }

  #due(deadline: number | undefined): void {
    if (deadline !== undefined && deadline < this.#deadline) this.#deadline = deadline
  }

  #tell(fact: TandemFact): void {
    this.#commands.push({ kind: 'tell', fact })
  }
}

const LEADERLESS = -1

/**
 * An id is a serial number and the index of a track, below 2^31 together: V8 keeps such a number without an object, and
 * node-rdkafka keeps one per record. Room for more partitions than a producer sensibly writes to.
 */
export const TRACKS_MAX = 1 << 16
/** What may wait for the disk, or have been read back, beyond `backlogBytesMax`, as a part of it. */
const FOR_DISK = 1 / 4
/** What one read brings: enough to keep a track busy while the next one is under way, little for memory. */
const READ_BYTES_MAX = 1 << 20
const READ_PART = 1 / 16
/** What was read back leaves within a few round trips. */
const NO_ROOM_PAUSE_MS = 50
/** A disk that cannot be read is asked again after this. */
const READ_AGAIN_MS = 1_000
/** Twice what librdkafka may take by its timeouts, for a message and for a socket: it will not report that any more. */
const REPORT_MS_MAX = 60_000
/** Leaders move and partitions are added; librdkafka itself asks every five minutes. */
const DESCRIBE_EVERY_MS = 60_000
/** An open track may turn out to be all there is. */
const JUDGE_EVERY_MS = 1_000
/** About the time in which the client hands a full batch to a broker. */
const QUEUE_FULL_PAUSE_MS = 20
