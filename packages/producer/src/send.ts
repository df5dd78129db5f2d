/**
 * One `send()` on its way: what the caller gave, where it stands, and whom to tell. When that is done nothing holds it
 * any more: what a lane may keep for hours is the sealed record alone.
 */
import { MessageOversizedError } from '@tandem/common/internal'

import type { Applicant } from './core/admission.js'
import { SealedRecord, type WireHeaders } from './core/record.js'
import type { Sequence } from './core/sequencer.js'
import type { ReadMessage } from './message.js'
import type { Receipt } from './receipt.js'

export class Send implements Applicant {
  readonly message: ReadMessage
  readonly patient: boolean
  /** Whether the common `sendTimeoutMs` counts for it, or its caller sees to its time. */
  readonly timed: boolean
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: Error) => void
  value: Uint8Array | null = null
  bytes = 0
  encoded = false
  admission: Applicant['admission'] = 'outside'
  admissionDeadline = 0
  /** Why its caller has given it up. */
  cause: unknown
  /** Once it is stamped. */
  record: SealedRecord | undefined
  #sequence: Sequence | undefined

  constructor(
    message: ReadMessage,
    { patient, timed }: { readonly patient: boolean; readonly timed: boolean },
    resolve: (receipt: Receipt) => void,
    reject: (error: Error) => void,
  ) {
    this.message = message
    this.patient = patient
    this.timed = timed
    this.resolve = resolve
    this.reject = reject
  }

  /** Known once the topic is. */
  get sequence(): Sequence {
    return this.#sequence!
  }

  set sequence(sequence: Sequence) {
    this.#sequence = sequence
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
    this.bytes = bytes + RECORD_OVERHEAD_BYTES
    this.encoded = true
  }

  /** Takes the next counter; from here on both lanes write the same bytes. */
  seal(ordinal: number, now: number): SealedRecord {
    const sequence = this.sequence
    const first = sequence.take(1)
    const stamp = { tandem: sequence.stamps.encode('data', first, 1) }
    const { key, headers, timestampMs } = this.message
    const all: WireHeaders = headers.length === 0 ? [stamp] : [stamp, ...headers]
    this.record = new SealedRecord({
      sequence,
      ordinal,
      first,
      count: 1,
      key,
      value: this.value,
      headers: all,
      timestampMs,
      bytes: this.bytes,
      sealedAt: now,
      owner: this,
    })
    return this.record
  }
}

/** What a message that waits in a lane costs beside its own bytes: objects, buffers, stamp. Measured on Node 20. */
const RECORD_OVERHEAD_BYTES = 800
