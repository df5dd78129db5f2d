/**
 * When a `send()` resolves or rejects, and when nothing more will happen to a message.
 *
 * - `one`: resolves with the first cluster's acknowledgement.
 * - `available`: waits for every lane that took the message's partition when it was stamped. A lane that goes away
 *   meanwhile, whose circuit for the partition opens, or that will not write the message, is not waited for, nor one
 *   that is so slow that it does not have it in the time that a circuit needs to open; but it never resolves on no
 *   acknowledgement at all.
 * - `both`: waits for both, and rejects as soon as one of them will never have it.
 *
 * Where the journal counts, what is on disk for good is as good as one cluster's acknowledgement for the first two.
 *
 * A send is rejected when its time is up, or when no lane is left that could still acknowledge it. What it says then
 * is the point: `not-written` only if no log holds the message and none will, so that sending it again cannot make it
 * two. That is the case when no client has ever had it, or each that had it was told for certain that it is not in
 * the log. Then it is taken out of both tracks and voided in both. In every other case it says `unknown`, and the
 * message stays where it is: it may still be delivered (protocol.md, Lanes and tracks).
 *
 * A record is settled when both its copies are final. Until then one cluster may be all that has it.
 */
import { Fifo, type Outcome } from '@tandem/common/internal'

import { OpenSends } from './open-sends.js'
import type { LaneIndex, SealedRecord } from './record.js'

export type AcknowledgePolicy = 'one' | 'available' | 'both'

export type RejectReason = 'timeout' | 'aborted' | 'refused' | 'closed'

export type SettlementCommand =
  | { readonly kind: 'resolve'; readonly record: SealedRecord }
  /** `not-written`: take it out of both tracks at once, and void it. */
  | {
      readonly kind: 'reject'
      readonly record: SealedRecord
      readonly outcome: Outcome
      readonly reason: RejectReason
    }
  /** It was accepted, and neither cluster will ever have it: both refused it for good. */
  | { readonly kind: 'undeliverable'; readonly record: SealedRecord; readonly outcome: Outcome }
  /** Both copies are final. */
  | { readonly kind: 'settled'; readonly record: SealedRecord }

export class Settlement {
  readonly #policy: AcknowledgePolicy
  readonly #sendTimeoutMs: number
  readonly #waitMs: number
  readonly #journalCounts: boolean
  /** Sends neither resolved nor rejected, in the order of stamping. */
  readonly #open = new OpenSends()
  #openCount = 0
  /** Those of them that have the common time, in the order of their deadlines; others are given up by their callers. */
  readonly #timed = new OpenSends()
  /** With `available`, those of them that still wait for a lane; in the same order. */
  readonly #waiting = new OpenSends()
  readonly #commands = new Fifo<Exclude<SettlementCommand, { kind: 'reject' }> | Failed>()
  #deadline = Infinity

  /**
   * @param options.waitMs how long `available` waits for a lane.
   * @param options.journalCounts whether the journal's word is enough.
   */
  constructor(options: {
    readonly policy: AcknowledgePolicy
    readonly sendTimeoutMs: number
    readonly waitMs: number
    readonly journalCounts?: boolean
  }) {
    this.#policy = options.policy
    this.#sendTimeoutMs = options.sendTimeoutMs
    this.#waitMs = options.waitMs
    this.#journalCounts = options.journalCounts ?? false
  }

  /** Sends neither resolved nor rejected, oldest first. */
  get open(): Iterable<SealedRecord> {
    return this.#open
  }

  get openCount(): number {
    return this.#openCount
  }

  /** @param timed whether the common time counts for it. */
  handleSealed(record: SealedRecord, away: readonly [boolean, boolean], timed = true): void {
    record.deadline = timed ? record.sealedAt + this.#sendTimeoutMs : Infinity
    record.waitsFor = (away[0] ? 0 : 1) | (away[1] ? 0 : 2)
    this.#open.push(record)
    this.#openCount++
    if (timed) this.#timed.push(record)
    if (record.deadline < this.#deadline) this.#deadline = record.deadline
    if (this.#policy !== 'available') return
    this.#waiting.push(record)
    this.#deadline = Math.min(this.#deadline, record.sealedAt + this.#waitMs)
  }

  /** A copy of the record has become final: acknowledged, refused or given up. */
  handleFinal(record: SealedRecord): void {
    if (record.send === 'open') this.#look(record)
    if (record.settled || !record.copies[0].final || !record.copies[1].final) return
    record.settled = true
    if (record.undeliverable) {
      const outcome = record.copies.some(({ perhapsWritten }) => perhapsWritten) ? 'unknown' : 'not-written'
      this.#commands.push({ kind: 'undeliverable', record, outcome })
    }
    this.#commands.push({ kind: 'settled', record })
  }

  /** The journal has it for good. */
  handleJournaled(record: SealedRecord): void {
    if (record.send === 'open') this.#look(record)
  }

  /** Its caller does not wait any longer. */
  handleAborted(record: SealedRecord, reason: 'timeout' | 'aborted'): void {
    if (record.send === 'open') this.#fail(record, reason)
  }

  /** The lane takes nothing any more, or nothing of this partition. */
  handleAway(lane: LaneIndex, track?: { readonly topic: string; readonly partition: number }): void {
    if (this.#policy !== 'available') return
    for (const record of this.#open) {
      if (track !== undefined && (record.partition !== track.partition || record.topic !== track.topic)) continue
      record.waitsFor &= ~bit(lane)
      this.#look(record)
    }
  }

  /** Nothing more will be waited for. */
  handleClosed(): void {
    for (const record of this.#open) this.#fail(record, 'closed')
  }

  poll(): SettlementCommand | undefined {
    const command = this.#commands.shift()
    if (command?.kind !== 'fail') return command
    // Looked at now and not when it failed: a lane may have handed it over since.
    const { record, reason } = command
    const [a, b] = record.copies
    const perhaps = a.perhapsWritten || b.perhapsWritten || record.journal !== 'none' || record.perhapsJournaled
    const outcome = perhaps ? 'unknown' : 'not-written'
    return { kind: 'reject', record, outcome, reason }
  }

  deadline(): number | undefined {
    return this.#deadline === Infinity ? undefined : this.#deadline
  }

  handleDeadline(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    for (let record = this.#waiting.peek(); record !== undefined; record = this.#waiting.peek()) {
      if (record.sealedAt + this.#waitMs > now) {
        this.#deadline = record.sealedAt + this.#waitMs
        break
      }
      this.#waiting.shift()
      record.waitsFor = 0
      this.#look(record)
    }
    for (let record = this.#timed.peek(); record !== undefined; record = this.#timed.peek()) {
      if (record.deadline > now) {
        this.#deadline = Math.min(this.#deadline, record.deadline)
        return
      }
      this.#fail(record, 'timeout')
    }
  }

  #look(record: SealedRecord): void {
    const [a, b] = record.copies
    const journaled = this.#journalCounts && record.journal === 'durable'
    const acknowledged = (a.state === 'acknowledged' ? 1 : 0) | (b.state === 'acknowledged' ? 2 : 0)
    const final = (a.final ? 1 : 0) | (b.final ? 2 : 0)
    switch (this.#policy) {
      case 'one':
        if (acknowledged !== 0 || journaled) return this.#resolve(record)
        break
      case 'available':
        if ((acknowledged !== 0 || journaled) && (record.waitsFor & ~final) === 0) return this.#resolve(record)
        break
      case 'both':
        if (acknowledged === BOTH) return this.#resolve(record)
        if ((final & ~acknowledged) !== 0) return this.#fail(record, 'refused')
        break
      default:
        throw this.#policy satisfies never
    }
    if (final === BOTH && acknowledged === 0) this.#fail(record, 'refused')
  }

  #resolve(record: SealedRecord): void {
    record.send = 'resolved'
    this.#handleOver()
    this.#commands.push({ kind: 'resolve', record })
  }

  #handleOver(): void {
    this.#openCount--
    this.#open.tidy(this.#openCount)
    this.#timed.tidy(this.#openCount)
    if (this.#policy === 'available') this.#waiting.tidy(this.#openCount)
  }

  #fail(record: SealedRecord, reason: RejectReason): void {
    record.send = 'rejected'
    this.#handleOver()
    this.#commands.push({ kind: 'fail', record, reason })
  }
}

/** Its send is to be rejected. */
interface Failed {
  readonly kind: 'fail'
  readonly record: SealedRecord
  readonly reason: RejectReason
}

function bit(lane: LaneIndex): number {
  return 1 << lane
}

const BOTH = 3
