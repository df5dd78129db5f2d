/**
 * One `send()` on its way: what the caller gave, where it stands, and whom to tell. When that is done nothing holds it
 * any more: what a lane may keep for hours is the sealed record alone.
 */
import {
  encodeFrame,
  framedBytesMax,
  MessageOversizedError,
  type FramedMessage,
  type OpenSpan,
} from '@tandem/common/internal'

import type { Applicant } from './core/admission.js'
import type { Framed } from './core/framer.js'
import { SealedRecord, type WireHeaders } from './core/record.js'
import type { Sequence } from './core/sequencer.js'
import type { ReadMessage } from './message.js'
import type { Receipt } from './receipt.js'

export interface SendTerms {
  readonly patient: boolean
  readonly timed: boolean
  /** It shares no record, since it may be given up by itself. */
  readonly alone?: boolean
}

export class Send implements Applicant, Framed, FramedMessage {
  readonly patient: boolean
  readonly alone: boolean
  /** Whether the common `sendTimeoutMs` counts for it, or its caller sees to its time. */
  readonly timed: boolean
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: Error) => void
  /** If somebody traces. */
  span: OpenSpan | undefined
  value: Uint8Array | null = null
  /** Bytes of the value; undefined for none. */
  size: number | undefined
  bytes = 0
  encoded = false
  admission: Applicant['admission'] = 'outside'
  admissionDeadline = 0
  /** Why its caller has given it up. */
  cause: unknown
  /** Of a dead letter: what has to be on disk before a lane is given it. */
  rebury: ((send: Send) => Promise<void>) | undefined
  /** Its caller has given it up before it was sealed. */
  abandoned = false
  /** Its counter, if it was stamped before it is sealed; else 0. */
  first = 0
  /** Once it is sealed. */
  record: SealedRecord | undefined
  #message: ReadMessage | undefined
  #sequence: Sequence | undefined

  constructor(
    message: ReadMessage,
    { patient, timed, alone = false }: SendTerms,
    resolve: (receipt: Receipt) => void,
    reject: (error: Error) => void,
  ) {
    this.#message = message
    this.patient = patient
    this.timed = timed
    this.alone = alone
    this.resolve = resolve
    this.reject = reject
  }

  /** Until it is sealed. */
  get message(): ReadMessage {
    return this.#message!
  }

  get key(): Uint8Array | null {
    return this.message.key
  }

  get headers(): WireHeaders {
    return this.message.headers
  }

  get timestampMs(): number {
    return this.message.timestampMs
  }

  /** Known once the topic is. */
  get sequence(): Sequence {
    return this.#sequence!
  }

  set sequence(sequence: Sequence) {
    this.#sequence = sequence
  }

  get framedBytes(): number {
    return framedBytesMax(this.bytes - RECORD_OVERHEAD_BYTES, this.message.headers.length)
  }

  /** @throws MessageOversizedError */
  handleEncoded(value: Uint8Array | null, messageBytesMax: number): void {
    const { key, headersBytes, topic } = this.message
    const bytes = (value?.length ?? 0) + (key?.length ?? 0) + headersBytes
    if (bytes > messageBytesMax) {
      throw new MessageOversizedError(
        `a message to ${topic} has ${bytes} bytes of value, key and headers, allowed are ${messageBytesMax}`,
        { topic, received: bytes, allowed: messageBytesMax },
      )
    }
    this.value = value
    this.size = value?.length
    this.bytes = bytes + RECORD_OVERHEAD_BYTES
    this.encoded = true
  }

  /** Takes the next counter, ahead of sealing. */
  stamp(): void {
    this.first = this.sequence.take(1)
  }

  /** Under its counter, or the next one; from here on both lanes write the same bytes. */
  seal(ordinal: number, now: number): SealedRecord {
    const sequence = this.sequence
    const first = this.first === 0 ? sequence.take(1) : this.first
    const { key, timestampMs } = this.message
    const headers = this.headersUnder(first)
    const record = new SealedRecord({
      sequence,
      ordinal,
      first,
      count: 1,
      key,
      value: this.value,
      headers,
      timestampMs,
      bytes: this.bytes,
      sealedAt: now,
      owner: [this],
    })
    this.handleSealed(record)
    return record
  }

  /** The record has its bytes: with thousands under way, what is held twice costs twice to keep track of. */
  handleSealed(record: SealedRecord): void {
    this.record = record
    this.value = null
    this.#message = undefined
  }

  headersUnder(first: number): WireHeaders {
    const stamp = { tandem: this.sequence.stamps.encode('data', first, 1) }
    const { headers } = this.message
    return headers.length === 0 ? [stamp] : [stamp, ...headers]
  }
}

/** Several of one sequence as one record, each under a counter of its own. */
export function sealFrame(sends: readonly Send[], ordinal: number, now: number): SealedRecord {
  const { sequence, message } = sends[0]!
  const first = sequence.take(sends.length)
  let bytesMax = 0
  for (const { framedBytes } of sends) bytesMax += framedBytes
  const value = encodeFrame(sends, bytesMax)
  const record = new SealedRecord({
    sequence,
    ordinal,
    first,
    count: sends.length,
    key: null,
    value,
    headers: [{ tandem: sequence.stamps.encode('frame', first, sends.length) }],
    timestampMs: message.timestampMs,
    bytes: value.length + RECORD_OVERHEAD_BYTES,
    sealedAt: now,
    owner: sends,
  })
  for (const send of sends) send.handleSealed(record)
  return record
}

/** What a message that waits in a lane costs beside its own bytes: objects, buffers, stamp. Measured on Node 20. */
const RECORD_OVERHEAD_BYTES = 800
