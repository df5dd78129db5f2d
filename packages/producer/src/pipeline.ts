/**
 * One epoch of a producer: its cores, wired to each other and to two clusters. It carries events to the cores and
 * their commands to whom they concern, until all are at rest; then it arms one timer for the earliest deadline.
 *
 *     send -> first sight -> admission -> (framer) -> sequencer -> (journal) -> two lanes -> settlement -> receipt
 */
import {
  Agenda,
  ClosedError,
  invariant,
  ShedError,
  Tally,
  UndeliveredError,
  type Outcome,
  type Position,
  type TandemError,
  type Telemetry,
} from '@tandem/common/internal'

import { ClusterLink } from './cluster-link.js'
import { Admission, type AdmissionCommand, type Obstacle, type ShedReason } from './core/admission.js'
import { Appender, type AppenderCommand } from './core/appender.js'
import { FirstSight, type FirstSightCommand } from './core/first-sight.js'
import { Framer } from './core/framer.js'
import { Lane, type LaneCommand } from './core/lane.js'
import type { LaneIndex, SealedRecord } from './core/record.js'
import { KnownSequences, type PinnedTopic, type ProducerIdentity } from './core/sequencer.js'
import { Settlement, type RejectReason, type SettlementCommand } from './core/settlement.js'
import { DeadLetters } from './dead-letters.js'
import { ImportLink } from './import-link.js'
import { JournalLink } from './journal-link.js'
import type { Journal, JournalContents } from './journal/journal.js'
import type { ImportReport } from './letter-import.js'
import { TOPIC_DEFAULTS, type ClusterSettings, type ProducerSettings, type TopicSettings } from './options.js'
import type { ProducerOutsides } from './outsides.js'
import { copiesOf, positionOf, positionsOf, SentReceipt, type ReceiptSource } from './receipt.js'
import { sealFrame, type Send } from './send.js'
import { Settling } from './settling.js'
import type { ClosingReport, ProducerStatus } from './status.js'
import { Topics } from './topics.js'
import type { ProducerTracing } from './tracing.js'

export interface PipelineOptions {
  readonly settings: ProducerSettings
  readonly outsides: ProducerOutsides
  readonly identity: ProducerIdentity
  readonly telemetry: Telemetry
  readonly tracing?: ProducerTracing | undefined
  /** Open, with what earlier lives left in it. */
  readonly journal?: { readonly journal: Journal; readonly contents: JournalContents } | undefined
  readonly ready: (lane: LaneIndex) => void
  readonly failed: (lane: LaneIndex, reason: string, error: TandemError | undefined) => void
}

export class Pipeline {
  readonly identity: ProducerIdentity
  readonly lanes: readonly [Lane, Lane]
  /** Resolves when the journal is given back, after `close`. */
  journalClosed: Promise<void> = Promise.resolve()
  readonly #options: PipelineOptions
  readonly #clusters: readonly [string, string]
  readonly #links: readonly [ClusterLink, ClusterLink]
  readonly #topics: Topics
  readonly #firstSight: FirstSight<Send>
  readonly #admission: Admission<Send>
  readonly #framer = new Framer<Send>()
  readonly #settlement: Settlement
  /** What queues go on in, what is accepted on disk, and what earlier lives left there. */
  readonly #appender: Appender | undefined
  readonly #journalLink: JournalLink | undefined
  readonly #deadLetters: DeadLetters | undefined
  readonly #importLink: ImportLink | undefined
  /** Of letters that are stamped and not sealed. */
  #reburyingBytes = 0
  readonly #sequences: KnownSequences
  readonly #shed = new Tally()
  readonly #undelivered = new Tally()
  readonly #agenda: Agenda
  readonly #receipts: ReceiptSource
  readonly #settling = new Settling(({ topic, partition }) => this.#appender!.shelf(topic, partition)!)
  #ordinal = 0
  #hearUntil = -Infinity
  #runsSoon = false
  /** What each lane may yet hand over in this turn. */
  #room: [number, number] = [0, 0]
  #closed = false
  #whenDrained: (() => void) | undefined
  #whenPutAway: (() => void) | undefined

  constructor(options: PipelineOptions) {
    const { settings, identity, outsides } = options
    this.identity = identity
    this.#options = options
    this.#clusters = [settings.clusters[0].name, settings.clusters[1].name]
    this.#sequences = new KnownSequences(identity.producerId)
    // What the journal does not take waits, as under `block`.
    const policy = settings.whenBothAway.policy === 'reject' ? 'reject' : 'block'
    const waitMs = policy === 'block' ? settings.whenBothAway.timeoutMs : settings.sendTimeoutMs
    this.#firstSight = new FirstSight({
      policy,
      messagesMax: settings.unacknowledgedMax,
      bytesMax: settings.unacknowledgedBytesMax,
      waitMs,
    })
    this.#admission = new Admission({
      policy,
      messagesMax: settings.unacknowledgedMax,
      bytesMax: settings.unacknowledgedBytesMax,
      waitMs,
      obstacle: (send) => this.#obstacle(send),
    })
    const { acknowledge, sendTimeoutMs } = settings
    const journalCounts = settings.whenBothAway.policy === 'journal' || settings.journal.mode === 'always'
    this.#settlement = new Settlement({ policy: acknowledge, sendTimeoutMs, waitMs: SILENCE_MS_MAX, journalCounts })
    this.#receipts = {
      clusters: this.#clusters,
      whenSettled: (record, done) => this.#settling.whenSettled(record, done),
    }
    // Between 80 and 120 %, so that no two processes probe a cluster that comes back in step.
    const jitter = 0.8 + outsides.random(1_000) / 2_500
    this.#appender = this.#makeAppender()
    this.lanes = [this.#makeLane(0, jitter), this.#makeLane(1, jitter)]
    this.#topics = this.#makeTopics()
    this.#journalLink = this.#makeJournalLink()
    this.#deadLetters = this.#makeDeadLetters()
    this.#importLink = this.#makeImportLink()
    this.#links = [this.#makeLink(0), this.#makeLink(1)]
    this.#agenda = new Agenda(outsides.clock, () => this.#handleTimer())
  }

  get window(): { readonly messages: number; readonly bytes: number; readonly waiting: number } {
    const { messages, bytes, waiting } = this.#admission
    return { messages, bytes, waiting: waiting + this.#firstSight.waiting }
  }

  get journalStatus(): ProducerStatus['journal'] {
    if (this.#appender === undefined) return undefined
    const { entries, bytes, usable } = this.#appender
    const deadLetters = this.#options.journal!.contents.deadLetters + this.#deadLetters!.buried
    return { entries, bytes, usable, deadLetters }
  }

  start(): void {
    const now = this.#now()
    this.#takeOver()
    for (const lane of this.lanes) lane.start(now)
    this.run()
  }

  topicSettings(topic: string): TopicSettings {
    return this.#topics.settings(topic)
  }

  /** @see ClusterLink.replace */
  replaceProperties(lane: LaneIndex, properties: ClusterSettings['properties'], done: (error?: Error) => void): void {
    this.#links[lane].replace(properties, done)
    this.run()
  }

  /** A send that was read; its value may still be with its codec. */
  handleCall(send: Send): void {
    const pinned = this.#topics.pinned(send.message.topic)
    const now = this.#now()
    if (pinned === undefined) {
      const bytes = send.patient ? 0 : send.bytes // patient ones lie in their caller's array anyway
      this.#firstSight.handleCall(send.message.topic, send, bytes, now)
      this.run(now)
    } else {
      this.#apply(send, pinned, now)
      this.#stepAdmission(now)
      this.#runSoon()
    }
  }

  handleEncoded(send: Send): void {
    this.#admission.handleEncoded(send)
    this.run()
  }

  /** Its codec failed, or what it gave is too large. */
  handleWithdrawn(send: Send): void {
    this.#admission.handleWithdrawn(send)
    this.run()
  }

  /** Its caller does not wait any longer. @returns false if it was not stamped: nothing happened, and nothing will. */
  handleAborted(send: Send, reason: 'timeout' | 'aborted', cause?: unknown): boolean {
    send.cause = cause
    if (send.record !== undefined) this.#settlement.handleAborted(send.record, reason)
    else if (send.first > 0) send.abandoned = true
    else if (send.admission === 'waiting') this.#admission.handleWithdrawn(send)
    send.admission = 'left'
    this.run()
    return send.record !== undefined || send.first > 0
  }

  /** Imports what lies among the dead letters; one import at a time. Not without a journal. */
  importLetters(timeoutMs: number, signal: AbortSignal | undefined): Promise<ImportReport> {
    return this.#importLink!.import(timeoutMs, signal)
  }

  /** Calls `done` once, as soon as nothing is left to be answered, nor to be written or voided by a lane that is here. */
  whenDrained(done: () => void): void {
    this.#importLink?.stop()
    this.#whenDrained = done
    this.#framer.handleAllClosed()
    this.run()
  }

  /** Puts what is left on disk, where a journal takes it; calls `done` when that is over. */
  putAway(done: () => void): void {
    const appender = this.#appender
    if (appender === undefined || this.#options.settings.journal.mode === 'dead-letter') return done()
    const left = new Set(this.lanes.flatMap((lane) => lane.left()))
    const byAge = [...left].filter(({ journal }) => journal === 'none').sort((a, b) => a.ordinal - b.ordinal)
    for (const record of byAge) appender.handleRecord(record)
    this.#whenPutAway = done
    this.run()
  }

  /** Ends everything; the result is what was not answered, and how much each cluster lacks. */
  close(quiet: () => void): ClosingReport {
    const now = this.#now()
    const unsettled = [...this.#settlement.open].flatMap((record) => positionsOf(record))
    this.#whenDrained = undefined
    this.#firstSight.close()
    this.#admission.close()
    for (const send of this.#framer.close()) this.#turnAway(send, 'closed', now)
    this.#settlement.handleClosed()
    this.run()
    // What is on disk, the next life writes.
    const left = (lane: Lane): number =>
      lane.left().every(({ journal }) => journal === 'durable') ? 0 : lane.load.exposed
    const missing = Object.fromEntries(this.lanes.map((lane) => [lane.cluster, left(lane) + lane.load.forgone]))
    const journaled = this.#appender?.entries ?? 0
    for (const lane of this.lanes) lane.close()
    this.run()
    this.#closed = true
    this.#agenda.close()
    this.#options.tracing?.close()
    this.#settling.close()
    this.#shed.close(now)
    this.#undelivered.close(now)
    this.#tellTallies()
    const links = this.#links.map((link) => new Promise<void>((done) => link.whenQuiet(done)))
    this.journalClosed = this.#closeJournal()
    void Promise.all([...links, this.journalClosed]).then(quiet)
    return { unsettled, missing, journaled }
  }

  async #closeJournal(): Promise<void> {
    await this.#deadLetters?.close()
    await this.#journalLink?.close()
    await this.#options.journal?.journal.close().catch(() => undefined)
  }

  /**
   * Once for all calls of one turn of the loop: they are in line and stamped, and what holds them counts in the lanes;
   * only then are they handed over.
   */
  #runSoon(): void {
    if (this.#runsSoon) return
    this.#runsSoon = true
    queueMicrotask(() => {
      if (this.#runsSoon) this.run()
    })
  }

  /** Lets the cores speak until they are at rest. */
  run(now = this.#now()): void {
    this.#runsSoon = false
    if (this.#closed) return
    this.#room = [HANDED_OVER_AT_ONCE_MAX, HANDED_OVER_AT_ONCE_MAX]
    while (this.#step(now)) continue
    if (this.#room.includes(0)) this.#agenda.arm(now)
    this.#tellTallies()
    this.#arm()
    if (this.#whenDrained !== undefined && this.#drained) {
      const done = this.#whenDrained
      this.#whenDrained = undefined
      done()
    }
    if (this.#whenPutAway !== undefined && this.#appender?.idle !== false) {
      const done = this.#whenPutAway
      this.#whenPutAway = undefined
      done()
    }
  }

  get #drained(): boolean {
    if (this.window.waiting > 0 || this.#framer.waiting > 0 || this.#settlement.openCount > 0) return false
    return this.lanes.every((lane) => lane.drained || lane.away)
  }

  #step(now: number): boolean {
    let stepped = false
    for (let command = this.#firstSight.poll(); command !== undefined; command = this.#firstSight.poll()) {
      this.#executeFirstSight(command, now)
      stepped = true
    }
    if (this.#stepAdmission(now)) stepped = true
    for (let sends = this.#framer.poll(); sends !== undefined; sends = this.#framer.poll()) {
      this.#seal(sends, now)
      stepped = true
    }
    for (const lane of this.lanes) {
      while (this.#room[lane.index] > 0) {
        const command = lane.poll(now)
        if (command === undefined) break
        if (command.kind === 'produce') this.#room[lane.index]--
        this.#executeLane(lane.index, command, now)
        stepped = true
      }
    }
    if (this.#stepAppender(now)) stepped = true
    for (let command = this.#settlement.poll(); command !== undefined; command = this.#settlement.poll()) {
      this.#executeSettlement(command, now)
      stepped = true
    }
    return stepped
  }

  #stepAdmission(now: number): boolean {
    let stepped = false
    for (let command = this.#admission.poll(); command !== undefined; command = this.#admission.poll()) {
      this.#executeAdmission(command, now)
      // What the disk does not take counts in the lanes before the next one is let in.
      if (this.#appender?.usable === false) this.#stepAppender(now)
      stepped = true
    }
    return stepped
  }

  #stepAppender(now: number): boolean {
    const appender = this.#appender
    if (appender === undefined) return false
    let stepped = false
    for (let command = appender.poll(now); command !== undefined; command = appender.poll(now)) {
      this.#executeAppender(command)
      stepped = true
    }
    return stepped
  }

  #executeFirstSight(command: FirstSightCommand<Send>, now: number): void {
    switch (command.kind) {
      case 'ask':
        this.#topics.ask(command.topic, now)
        return
      case 'known':
        this.#topics.know(command.topic)
        return
      case 'release': {
        const pinned = this.#topics.pinned(command.applicant.message.topic)
        invariant(pinned !== undefined, 'a topic is pinned before its messages are released')
        if (command.applicant.admission === 'outside') this.#apply(command.applicant, pinned, now)
        return
      }
      case 'refuse':
        command.applicant.reject(command.error)
        return
      case 'shed':
        this.#turnAway(command.applicant, command.reason, now)
        return
      default:
        throw command satisfies never
    }
  }

  #executeAdmission(command: AdmissionCommand<Send>, now: number): void {
    switch (command.kind) {
      case 'admit':
        this.#admitted(command.applicant, now)
        return
      case 'shed':
        this.#turnAway(command.applicant, command.reason, now)
        return
      default:
        throw command satisfies never
    }
  }

  #admitted(send: Send, now: number): void {
    const { sequence, rebury, alone } = send
    if (sequence.framing !== undefined && !alone) return this.#framer.handleMessage(send, sequence.framing, now)
    if (sequence.framing !== undefined) {
      // What came before it is sealed before it.
      this.#framer.handleAlone(sequence)
      for (let sends = this.#framer.poll(); sends !== undefined; sends = this.#framer.poll()) this.#seal(sends, now)
    }
    if (rebury === undefined) this.#seal([send], now)
    else this.#rebury(send, rebury)
  }

  #seal(sends: readonly Send[], now: number): void {
    const ordinal = this.#ordinal++
    const record = sends.length === 1 ? sends[0]!.seal(ordinal, now) : sealFrame(sends, ordinal, now)
    this.#options.tracing?.handleSealed(record, sends)
    const { topic, partition } = record
    const [a, b] = this.lanes
    const away = [!a.takes(topic, partition), !b.takes(topic, partition)] as const
    this.#settlement.handleSealed(record, away, sends[0]!.timed)
    if (this.#options.settings.journal.mode === 'always') this.#journal(topic, partition, [record])
    else this.#handOver(record)
  }

  /** A dead letter is stamped, then named anew on disk, and only then sealed. What is not to be written is voided. */
  #rebury(send: Send, rebury: NonNullable<Send['rebury']>): void {
    send.stamp()
    this.#reburyingBytes += send.bytes
    const seal = (reburied: boolean): void => {
      if (this.#closed) return
      this.#reburyingBytes -= send.bytes
      if (reburied && !send.abandoned) this.#seal([send], this.#now())
      else {
        const record = send.seal(this.#ordinal++, this.#now())
        this.#settlement.handleSealed(record, [true, true], send.timed)
        record.handed = true
        for (const lane of this.lanes) {
          lane.handleSealed(record)
          lane.giveUp(record, 'undelivered')
        }
      }
      this.run()
    }
    rebury(send).then(
      () => seal(true),
      () => seal(false),
    )
  }

  #executeLane(index: LaneIndex, command: LaneCommand, now: number): void {
    switch (command.kind) {
      case 'produce':
      case 'connect':
      case 'discard':
      case 'describe':
        this.#links[index].execute(command, now)
        return
      case 'acknowledged':
        this.lanes[index === 0 ? 1 : 0].handleElsewhere(command.record, now)
        this.#handleFinal(command.record, index, now)
        return
      case 'voided':
        this.#handleFinal(command.record, index, now)
        this.#forgo(command.record, index) // known now: whether it was accepted, and nobody takes it
        return
      case 'void-answered':
        this.#importLink?.handleVoid(index, command.write, command.written)
        return
      case 'spill':
        this.#journal(command.topic, command.partition, [])
        return
      case 'load':
        this.#journalLink!.load(index, command)
        return
      case 'left':
        this.#options.tracing?.handleOver(command.record, index)
        this.#letGo(command.record)
        return
      case 'away':
        this.#settlement.handleAway(index)
        this.#journalOpen()
        return
      case 'track-away':
        this.#settlement.handleAway(index, command.track)
        this.#journalOpen(command.track)
        return
      case 'reach':
        this.#admission.handleReach()
        return
      case 'tell':
        this.#options.telemetry.tell(command.fact)
        return
      default:
        throw command satisfies never
    }
  }

  #executeAppender(command: AppenderCommand): void {
    switch (command.kind) {
      case 'append':
        this.#journalLink!.append(command.records)
        return
      case 'mark':
        this.#journalLink!.mark(command.marks)
        return
      case 'durable': {
        const { record } = command
        if (record.handed) for (const lane of this.lanes) lane.handleDurable(record)
        else this.#handOver(record)
        this.#settlement.handleJournaled(record)
        for (const index of [0, 1] as const) this.#forgo(record, index)
        return
      }
      case 'refused': {
        const { record } = command
        if (record.handed) for (const lane of this.lanes) lane.handleRefused(record)
        else this.#handOver(record)
        if (record.perhapsJournaled) return // a later life may find it; there is no void then
        for (const lane of this.lanes) if (record.copies[lane.index].state === 'refused') lane.voidRefused(record)
        return
      }
      case 'usable':
        for (const lane of this.lanes) lane.handleJournal()
        this.#journalOpen()
        this.#admission.handleReach()
        return
      case 'tell':
        this.#options.telemetry.tell(command.fact)
        for (const lane of this.lanes) lane.handleJournal()
        return
      default:
        throw command satisfies never
    }
  }

  /** Both lanes get it; if neither takes its partition, the journal too, where that is enough. */
  #handOver(record: SealedRecord): void {
    record.handed = true
    this.#options.tracing?.handleHandedOver(record)
    for (const lane of this.lanes) {
      lane.handleSealed(record)
      if (record.send === 'rejected') lane.handleUnpromised(record)
    }
    if (record.journal === 'none' && this.#mustJournal(record)) this.#journal(record.topic, record.partition, [record])
  }

  /** Nobody takes it, and the journal's word would do. */
  #mustJournal({ topic, partition }: SealedRecord): boolean {
    if (this.#options.settings.whenBothAway.policy !== 'journal') return false
    return !this.lanes.some((lane) => lane.takes(topic, partition))
  }

  /** Sends that were under way when the last lane went. */
  #journalOpen(track?: { readonly topic: string; readonly partition: number }): void {
    if (this.#options.settings.whenBothAway.policy !== 'journal') return
    const waiting = new Map<string, SealedRecord[]>()
    for (const record of this.#settlement.open) {
      if (track !== undefined && (record.topic !== track.topic || record.partition !== track.partition)) continue
      if (record.journal !== 'none' || !record.handed || !this.#mustJournal(record)) continue
      const name = `${record.topic}/${record.partition}`
      const records = waiting.get(name)
      if (records === undefined) waiting.set(name, [record])
      else records.push(record)
    }
    for (const records of waiting.values()) this.#journal(records[0]!.topic, records[0]!.partition, records)
  }

  /** To the disk, oldest first, with all that waits for it in a tail: so none comes to lie before an older one. */
  #journal(topic: string, partition: number, more: readonly SealedRecord[]): void {
    const ofLanes = new Set(this.lanes.flatMap((lane) => lane.takeUnspilled(topic, partition)))
    for (const record of more) ofLanes.delete(record)
    const records = [...more, ...ofLanes].sort((a, b) => a.ordinal - b.ordinal)
    for (const record of records) this.#appender!.handleRecord(record, ofLanes.has(record))
  }

  /**
   * A record that was refused and is on disk is noted there before it is voided; on its way there, when that is known.
   * Not if that would leave it to nobody: then it must lie among the dead letters first, or a crash would lose it.
   */
  #forgo(record: SealedRecord, lane: LaneIndex): void {
    const copy = record.copies[lane]
    if (copy.state !== 'refused' || record.journal !== 'durable' || record.undeliverable) return
    copy.forgone = true
    this.#journalLink!.forgo(lane, record)
  }

  /** What was accepted and refused by both lies among the dead letters: no later life writes it. */
  #handleBuried(record: SealedRecord): void {
    const now = this.#now()
    for (const lane of this.lanes) {
      const { state, forgone } = record.copies[lane.index]
      if (state === 'refused' && !forgone) lane.voidRefused(record)
      this.#appender!.handleFinal(record, lane.index, now)
    }
  }

  #handleFinal(record: SealedRecord, lane: LaneIndex, now: number): void {
    this.#options.tracing?.handleOver(record, lane)
    this.#settlement.handleFinal(record)
    // What was accepted and nobody takes stays in the journal until it lies among the dead letters.
    if (!record.undeliverable) this.#appender?.handleFinal(record, lane, now)
    this.#letGo(record)
  }

  /** The journal alone has what is left to be done with it. */
  #letGo(record: SealedRecord): void {
    if (record.place === 0 || record.settled || record.send === 'open' || record.needed) return
    if (this.#settling.has(record)) return
    this.#appender!.shelf(record.topic, record.partition)!.forget(record)
    record.release()
  }

  /** What earlier lives left comes first, on each track. */
  #takeOver(): void {
    const appender = this.#appender
    if (appender === undefined) return
    const { deadLetters, droppedBytes } = this.#options.journal!.contents
    if (droppedBytes > 0) this.#options.telemetry.tell({ kind: 'journal-dropped', bytes: droppedBytes })
    if (appender.entries === 0 && deadLetters === 0) return
    for (const shelf of appender.shelves) {
      const { topic, partition, next } = shelf
      for (const lane of this.lanes) {
        const from = shelf.done(lane.index)
        if (from < next) lane.handleFound({ topic, partition, from, to: next })
      }
    }
    this.#options.telemetry.tell({
      kind: 'journal-found',
      entries: appender.entries,
      bytes: appender.bytes,
      deadLetters,
    })
  }

  #executeSettlement(command: SettlementCommand, now: number): void {
    const { record } = command
    switch (command.kind) {
      case 'resolve': {
        const copies = copiesOf(this.#receipts, record)
        let counter = record.first
        for (const send of this.#finish(record)) {
          send.resolve(new SentReceipt(this.#receipts, record, counter++, copies))
        }
        return
      }
      case 'reject': {
        for (const lane of this.lanes) {
          if (!record.handed) continue // the lanes will hear of it with the record
          if (command.outcome === 'unknown') lane.handleUnpromised(record)
          else lane.giveUp(record, 'undelivered')
        }
        this.#undelivered.handle(`${command.outcome} ${record.topic}`, record.count, now)
        if (sendsOf(record)[0]!.rebury !== undefined) this.#deadLetters!.watch(record)
        else if (this.#options.settings.journal.mode === 'dead-letter') {
          this.#deadLetters!.bury(record, command.outcome, command.reason)
        }
        for (const [index, send] of this.#finish(record).entries()) {
          send.reject(undelivered(positionOf(record, record.first + index), record.topic, command, send.cause))
        }
        return
      }
      case 'undeliverable':
        this.#undelivered.handle(`${command.outcome} ${record.topic}`, record.count, now)
        this.#deadLetters!.bury(record, command.outcome, 'refused', () => this.#handleBuried(record))
        return
      case 'settled':
        this.#settling.handleSettled(record)
        this.#deadLetters?.handleSettled(record)
        if (record.place > 0) this.#appender!.shelf(record.topic, record.partition)!.forget(record)
        record.release()
        return
      default:
        throw command satisfies never
    }
  }

  /** Its sends are over: there is room for others, and the record is nobody's any more. */
  #finish(record: SealedRecord): readonly Send[] {
    const sends = sendsOf(record)
    record.owner = undefined
    for (const send of sends) this.#admission.handleDone(send)
    if (record.sequence.framing !== undefined) this.#framer.handleAnswered(record.sequence)
    this.#letGo(record)
    return sends
  }

  /** Its sequence is known now: it takes its place in the line. */
  #apply(send: Send, topic: PinnedTopic, now: number): void {
    const { key } = send.message
    send.sequence = key === null ? topic.sequenceInTurn() : topic.sequenceOf(key)
    this.#admission.handleCall(send, now)
  }

  #turnAway(send: Send, reason: ShedReason, now: number): void {
    if (reason === 'closed') {
      send.reject(new ClosedError('the producer was closed before the message could be stamped', {}))
      return
    }
    this.#shed.handle(reason, 1, now)
    const { topic } = send.message
    send.reject(new ShedError(`a message to ${topic} was shed: ${SHED[reason]}`, { topic, reason }))
  }

  #obstacle(send: Send): Obstacle | undefined {
    const { topic, partition } = send.sequence
    const [a, b] = this.lanes
    const gathered = this.#framer.bytes
    const coming = this.#reburyingBytes + gathered
    if (a.fullWith(coming) || b.fullWith(coming)) return 'backlog'
    if (this.#options.settings.journal.mode === 'always' && this.#appender!.crowdedWith(gathered)) return 'backlog'
    const takes = (a.takes(topic, partition) ? 1 : 0) + (b.takes(topic, partition) ? 1 : 0)
    if (takes === 2) return undefined
    const { acknowledge, whenBothAway } = this.#options.settings
    if (acknowledge === 'both') return 'cluster-away'
    if (takes === 1) return undefined
    if (whenBothAway.policy === 'journal' && this.#appender!.takes(send.bytes, gathered)) return undefined
    return 'both-away'
  }

  #handleTimer(): void {
    if (this.#closed) return
    const now = this.#now()
    // A timer that is very late shows that this process stood still. Records did not grow old in the client by that:
    // the reports that came in meanwhile are heard before anything is concluded from the time.
    const due = Math.min(...this.#timed().map((core) => core.deadline() ?? Infinity))
    if (now >= this.#hearUntil && now - due > STOOD_STILL_MS && due > this.#hearUntil) this.#hearUntil = now + HEAR_MS
    if (now >= this.#hearUntil) for (const core of this.#timed()) core.handleDeadline(now)
    this.run(now)
  }

  #timed(): readonly { deadline(): number | undefined; handleDeadline(now: number): void }[] {
    const appender = this.#appender === undefined ? [] : [this.#appender]
    const deadLetters = this.#deadLetters === undefined ? [] : [this.#deadLetters]
    return [
      ...this.lanes,
      ...appender,
      ...deadLetters,
      this.#settlement,
      this.#admission,
      this.#framer,
      this.#firstSight,
      this.#shed,
      this.#undelivered,
    ]
  }

  /** For each message: so none of these numbers may become an object on the way. */
  #arm(): void {
    let due = Math.min(this.lanes[0].deadline() ?? Infinity, this.lanes[1].deadline() ?? Infinity)
    due = Math.min(due, this.#appender?.deadline() ?? Infinity, this.#deadLetters?.deadline() ?? Infinity)
    due = Math.min(due, this.#settlement.deadline() ?? Infinity, this.#admission.deadline() ?? Infinity)
    due = Math.min(due, this.#framer.deadline() ?? Infinity, this.#firstSight.deadline() ?? Infinity)
    due = Math.min(due, this.#shed.deadline() ?? Infinity, this.#undelivered.deadline() ?? Infinity)
    due = Math.max(due, this.#hearUntil)
    if (due < this.#agenda.armedFor) this.#agenda.arm(due)
  }

  #tellTallies(): void {
    for (let told = this.#shed.poll(); told !== undefined; told = this.#shed.poll()) {
      this.#options.telemetry.tell({ kind: 'message-shed', reason: told.label, count: told.count })
    }
    for (let told = this.#undelivered.poll(); told !== undefined; told = this.#undelivered.poll()) {
      const [outcome, topic] = told.label.split(' ') as [string, string]
      this.#options.telemetry.tell({ kind: 'message-undelivered', topic, outcome, count: told.count })
    }
    if (this.#deadLetters !== undefined)
      for (const fact of this.#deadLetters.facts()) this.#options.telemetry.tell(fact)
  }

  #makeLane(index: LaneIndex, jitter: number): Lane {
    const { settings } = this.#options
    return new Lane({
      cluster: this.#clusters[index],
      index,
      circuit: {
        failuresMax: FAILURES_MAX,
        silenceMsMax: SILENCE_MS_MAX,
        probeAfterMs: PROBE_AFTER_MS * jitter,
        probeAfterMsMax: PROBE_AFTER_MS_MAX * jitter,
      },
      backlogBytesMax: settings.backlogBytesMax,
      inClientMax: IN_CLIENT_MAX,
      copyAgeMaxMs: settings.journal.copyAgeMaxMs,
      // With dead letters alone, what earlier lives left is written, and nothing is added.
      journal: settings.journal.mode === 'dead-letter' ? undefined : this.#appender,
    })
  }

  #makeTopics(): Topics {
    const { settings, identity, telemetry } = this.#options
    const appender = this.#appender
    return new Topics({
      settings,
      clusters: this.#clusters,
      identity,
      lanes: this.lanes,
      firstSight: this.#firstSight,
      journaled: () => (appender === undefined ? [] : [...appender.shelves].map(({ topic }) => topic)),
      describe: (lane, topics, done) => this.#links[lane].describe(topics, done),
      refresh: (lane) => this.#links[lane].execute({ kind: 'describe' }, this.#now()),
      now: () => this.#now(),
      tell: (fact) => telemetry.tell(fact),
    })
  }

  #makeAppender(): Appender | undefined {
    const { settings, journal } = this.#options
    if (journal === undefined) return undefined
    return new Appender({
      bytesMax: settings.journal.bytesMax,
      waitingBytesMax: settings.backlogBytesMax / 4,
      found: journal.contents.partitions,
    })
  }

  #makeDeadLetters(): DeadLetters | undefined {
    const { journal, outsides, telemetry } = this.#options
    if (journal === undefined) return undefined
    return new DeadLetters({
      journal: journal.journal,
      clusters: this.#clusters,
      from: (record) => [this.lanes[0].from(record), this.lanes[1].from(record)],
      leftOf: (record) => this.#journalLink?.leftOf(record),
      clock: outsides.clock,
      tell: (fact) => telemetry.tell(fact),
      run: () => this.run(),
    })
  }

  #makeImportLink(): ImportLink | undefined {
    const { settings, journal, outsides, telemetry } = this.#options
    const [appender, deadLetters] = [this.#appender, this.#deadLetters]
    if (journal === undefined || appender === undefined || deadLetters === undefined) return undefined
    return new ImportLink({
      settings,
      outsides,
      clusters: this.#clusters,
      lanes: this.lanes,
      journal: journal.journal,
      appender,
      deadLetters,
      sequences: this.#sequences,
      describe: (lane, topics, done) => this.#links[lane].describe(topics, done),
      properties: (lane) => this.#links[lane].properties,
      topicSettings: (topic) => this.#topics.settings(topic),
      handleCall: (send) => this.handleCall(send),
      handleAborted: (send) => this.handleAborted(send, 'aborted'),
      tell: (fact) => telemetry.tell(fact),
      run: () => this.run(),
    })
  }

  #makeJournalLink(): JournalLink | undefined {
    const { journal, outsides, identity, telemetry } = this.#options
    if (journal === undefined || this.#appender === undefined) return undefined
    return new JournalLink({
      journal: journal.journal,
      appender: this.#appender,
      lanes: this.lanes,
      identity,
      sequences: this.#sequences,
      clock: outsides.clock,
      tell: (fact) => telemetry.tell(fact),
      lost: (record) => {
        this.#settling.handleSettled(record)
        this.#deadLetters?.handleSettled(record)
      },
      run: () => this.run(),
    })
  }

  #makeLink(index: LaneIndex): ClusterLink {
    const { settings, outsides, identity, ready, failed } = this.#options
    const { name, properties } = settings.clusters[index]
    const messageBytesMax = Math.max(
      TOPIC_DEFAULTS.messageBytesMax,
      ...Object.values(settings.topics).map((topic) => topic.messageBytesMax),
    )
    return new ClusterLink({
      lane: this.lanes[index],
      now: () => this.#now(),
      clusterClient: outsides.clusterClient,
      client: {
        cluster: name,
        properties,
        connectTimeoutMs: Math.min(Math.ceil(ATTEMPT_PART * settings.connectTimeoutMs), ATTEMPT_MS_MAX),
        messageBytesMax,
        probe: { identity, proven: new Set() },
      },
      owner: {
        topics: () => this.#topics.names,
        described: (topics, description) => this.#topics.handleSurveyed(index, topics, description),
        ready: () => ready(index),
        failed: (reason, error) => failed(index, reason, error),
        run: (now) => this.run(now),
      },
    })
  }

  #now(): number {
    // Whole milliseconds: V8 keeps them without an object, and every record carries some.
    return Math.floor(this.#options.outsides.clock.now())
  }
}

/** Whose its messages are, in the order of their counters. */
function sendsOf(record: SealedRecord): readonly Send[] {
  return record.owner as readonly Send[]
}

function undelivered(
  position: Position,
  topic: string,
  { outcome, reason }: { readonly outcome: Outcome; readonly reason: RejectReason },
  cause: unknown,
): UndeliveredError {
  const what = outcome === 'not-written' ? 'no log holds it and none will: send it again' : 'it may yet be delivered'
  const details = { topic, reason, position }
  const why = `a message to ${topic} was not acknowledged (${UNDELIVERED[reason]}); ${what}`
  return new UndeliveredError(why, outcome, details, cause)
}

const SHED: Readonly<Record<Exclude<ShedReason, 'closed'>, string>> = {
  'both-away': 'neither cluster takes its partition',
  'cluster-away': "a cluster is away, and acknowledge is 'both'",
  backlog: 'a lane holds backlogBytesMax of what no cluster has acknowledged, or the disk is too slow',
  window: 'unacknowledgedMax or unacknowledgedBytesMax is reached',
  waiting: 'too many messages wait already',
  codec: 'its codec, or one before it in its key range, takes too long',
}

const UNDELIVERED: Readonly<Record<RejectReason, string>> = {
  timeout: 'sendTimeoutMs has passed',
  aborted: 'its signal was aborted',
  refused: 'refused for good',
  closed: 'the producer was closed',
}

/** One attempt to connect is over before the start is, to say why it failed; it holds a thread of the pool. */
const ATTEMPT_PART = 0.9
const ATTEMPT_MS_MAX = 5_000
/** More than a busy process is late by; less than what opens a circuit. */
const STOOD_STILL_MS = 1_000
/** Enough turns of the loop to hear thousands of reports. */
const HEAR_MS = 200
/** librdkafka has retried each of them for long. */
const FAILURES_MAX = 5
/** protocol.md, Lanes and tracks. */
const SILENCE_MS_MAX = 5_000
const PROBE_AFTER_MS = 1_000
/** How long a cluster that is back may wait to be noticed. */
const PROBE_AFTER_MS_MAX = 10_000
/** About 10 ms of work: a lane that returns with much to write leaves room between for calls and reports. */
const HANDED_OVER_AT_ONCE_MAX = 1_000
/** Enough to fill the requests that may be under way; more would only lie in the client where it cannot be taken back. */
const IN_CLIENT_MAX = 20_000
