import { ROOT_CONTEXT, type Context } from '@opentelemetry/api'
import {
  CodecFailedError,
  isTandemError,
  STAMP_HEADER,
  type Codec,
  type OpenSpan,
  type Position,
} from '@tandem/common/internal'

import type { Outstanding } from './core/ack-watch.js'
import type { Deliver } from './core/arbiter.js'
import { isUnstamped } from './core/unstamped.js'
import { DELIVERY_HOST, type DeliveryHost } from './delivery-host.js'
import { errorKind } from './error-kind.js'
import type { FeedRecord } from './kafka/feed-client.js'
import type { ConsumerTracing } from './tracing.js'

/** One message, delivered: to be acknowledged when its effect is done. */
export interface Delivery<T = unknown> {
  readonly topic: string
  readonly partition: number
  readonly keyRange: number
  /** Bytes as they were sent; null if there was no key. */
  readonly key: Buffer | null
  /**
   * What the topic's codec made of the bytes; without a codec the bytes themselves (null for a tombstone).
   *
   * @throws CodecFailedError `TANDEM_CODEC_FAILED`: the codec could not read them; `bytes` still holds them.
   * @throws FrameMalformedError `TANDEM_FRAME_MALFORMED`: neither cluster's copy of a frame can be unpacked; `bytes` is
   *         all of it, `position` that of its first message, and to acknowledge it finishes the whole run.
   */
  readonly value: T
  /** The payload as it was sent. */
  readonly bytes: Buffer | null
  /** Headers by name, as bytes; an array where a name occurs more than once. The stamp is not among them. */
  readonly headers: { readonly [name: string]: Buffer | readonly Buffer[] }
  /** Kafka's timestamp, ms since 1970. */
  readonly timestampMs: number
  /** Without a stamp: the producerId is `:` and the cluster's name, the counter is the offset plus one. */
  readonly position: Position
  /** False for a record without a stamp (option `unstamped`). */
  readonly stamped: boolean
  /** The cluster it was read from, and its offset there. */
  readonly from: string
  readonly offset: number
  /** How often this instance has handed it out, this time included: 1 the first time, one more after each `nack`. */
  readonly attempt: number
  /** It was given out before by this instance (`nack`). */
  readonly redelivered: boolean
  /** Out of order: something newer of its stream was delivered before. */
  readonly late: boolean
  /** Owner token of the partition, for conditional writes: refuse an effect with a lower one than was seen. */
  readonly fence: number
  /**
   * Aborted when this instance loses the partition, or does not know any more whether it has it: look at it before the
   * effect begins, since to look at it is to look at the clock. Give back what you do not begin, by `nack()`: it comes
   * again, before what is new, if the partition turns out not to have been lost. A handler that is at work may go on at
   * its own risk, and `ack()` counts then. Only `fence` covers a pause between a look and the effect.
   */
  readonly signal: AbortSignal
  /**
   * OpenTelemetry's context, with the span of this delivery as the active one; without a tracer, the empty one. It is
   * active while the delivery is handed out, and in handlers of `inKeyOrder`; where it is handled later, or by another
   * operator, `context.with(delivery.context, …)` makes it so.
   */
  readonly context: Context
  /**
   * Its effect is done; it will not come again. Idempotent. Once its partition is lost or given up it changes nothing any
   * more: whoever has the partition delivers it again (`acknowledgement-ignored`).
   */
  ack(): void
  /**
   * Its effect failed; it comes again after `delayMs` (default 1,000; what is no time counts as that), flagged
   * `redelivered`, behind what was delivered meanwhile, and so without end: each time `attempt` is one more, and of the
   * tenth refusal tells `delivery-stalled`. Means nothing after `ack()`, and a second time before it came again. While the
   * consumer closes it is given back instead, and comes in the next life.
   */
  nack(error?: unknown, options?: { readonly delayMs?: number }): void
}

/** Where an open delivery reports to. */
export interface DeliveryOwner {
  readonly deliveryHost: DeliveryHost
  readonly fence: number
  readonly signal: AbortSignal
  /** Nothing of it is handed out any more. */
  readonly draining: boolean
  handleAcknowledged(delivery: OpenDelivery): void
  handleRefused(delivery: OpenDelivery, delayMs: number): void
}

export interface DeliveryFacts {
  readonly owner: DeliveryOwner
  /** The arbiter's command, of which this is one message. */
  readonly cause: Deliver<FeedRecord>
  /** The message, as a record of its own if it came in a frame. */
  readonly record: FeedRecord
  readonly counter: number
  /** More than one only of a frame that cannot be unpacked. */
  readonly count: number
  readonly from: string
  /** What reads the value; or why nothing can. */
  readonly codec: Codec<unknown> | Error | undefined
}

type Decoded =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly error: Error }

/** A delivery from the moment it is due until it is acknowledged. */
export class OpenDelivery implements Delivery, Outstanding {
  readonly cause: Deliver<FeedRecord>
  readonly counter: number
  readonly count: number
  readonly from: string
  attempt = 0
  handedOutAt = Infinity
  overdue = false
  refusals = 0
  #span: OpenSpan | undefined
  readonly #owner: DeliveryOwner
  readonly #record: FeedRecord
  #decoded: Decoded | undefined
  #acknowledged = false

  constructor(facts: DeliveryFacts) {
    this.#owner = facts.owner
    this.#record = facts.record
    this.cause = facts.cause
    this.counter = facts.counter
    this.count = facts.count
    this.from = facts.from
    const { value } = this.#record
    if (facts.codec instanceof Error) this.#decoded = { kind: 'failed', error: facts.codec }
    else if (facts.codec !== undefined && value !== null) this.#decode(facts.codec, value)
  }

  get topic(): string {
    return this.#record.topic
  }

  get partition(): number {
    return this.#record.partition
  }

  get keyRange(): number {
    return this.cause.stream.keyRange
  }

  get position(): Position {
    const { stream, sequence } = this.cause
    const { epoch, incarnation } = sequence
    return { producerId: stream.producerId, epoch, incarnation, counter: this.counter }
  }

  get stamped(): boolean {
    return !isUnstamped(this.cause.stream.producerId)
  }

  get redelivered(): boolean {
    return this.attempt > 1
  }

  get late(): boolean {
    return this.cause.late
  }

  get key(): Buffer | null {
    return this.#record.key
  }

  get bytes(): Buffer | null {
    return this.#record.value
  }

  get timestampMs(): number {
    return this.#record.timestampMs
  }

  get offset(): number {
    return this.#record.offset
  }

  get fence(): number {
    return this.#owner.fence
  }

  get signal(): AbortSignal {
    return this.#owner.signal
  }

  get context(): Context {
    return this.#span?.context ?? ROOT_CONTEXT
  }

  get value(): unknown {
    if (this.#decoded === undefined) return this.#record.value
    if (this.#decoded.kind === 'value') return this.#decoded.value
    if (this.#decoded.kind === 'failed') throw this.#decoded.error
    return undefined
  }

  get headers(): { readonly [name: string]: Buffer | readonly Buffer[] } {
    const headers: Record<string, Buffer | Buffer[]> = Object.create(null) as Record<string, Buffer | Buffer[]>
    for (const header of this.#record.headers) {
      for (const [name, value] of Object.entries(header)) {
        if (name === STAMP_HEADER) continue
        const known = headers[name]
        if (known === undefined) headers[name] = value
        else if (Array.isArray(known)) known.push(value)
        else headers[name] = [known, value]
      }
    }
    return headers
  }

  /** What it takes of the window. */
  get size(): number {
    return (this.#record.value?.length ?? 0) + (this.#record.key?.length ?? 0)
  }

  /** False while an asynchronous codec is at work: it and what follows wait, so that order is kept. */
  get ready(): boolean {
    return this.#decoded?.kind !== 'waiting'
  }

  /** Called when an asynchronous codec is done. */
  onReady: (() => void) | undefined

  get draining(): boolean {
    return this.#owner.draining
  }

  get owner(): DeliveryOwner {
    return this.#owner
  }

  get acknowledged(): boolean {
    return this.#acknowledged
  }

  get [DELIVERY_HOST](): DeliveryHost {
    return this.#owner.deliveryHost
  }

  /** It is handed to the subscriber. */
  handOut(now: number, tracing: ConsumerTracing | undefined): void {
    this.attempt++
    this.handedOutAt = now
    this.#span = tracing?.start(this, this.#record.headers)
  }

  /** Nobody waits for its end any more. */
  handleGone(): void {
    this.#endSpan('gone')
  }

  ack(): void {
    if (this.#acknowledged) return
    this.#acknowledged = true
    this.#endSpan('acknowledged')
    this.#owner.handleAcknowledged(this)
  }

  nack(error?: unknown, options?: { readonly delayMs?: number }): void {
    if (this.#acknowledged || this.handedOutAt === Infinity) return
    this.handedOutAt = Infinity
    this.#endSpan('refused', error)
    const { deliveryHost } = this.#owner
    if (!deliveryHost.closing.aborted && !this.signal.aborted) {
      const reason = errorKind(error)
      deliveryHost.count({ kind: 'delivery-failed', topic: this.topic, verdict: 'refused', reason })
    }
    const delayMs = options?.delayMs
    this.#owner.handleRefused(this, Number.isFinite(delayMs) && delayMs! >= 0 ? delayMs! : NACK_DELAY_MS)
  }

  #endSpan(outcome: 'acknowledged' | 'refused' | 'gone', error?: unknown): void {
    const failed = error === undefined ? undefined : { type: errorKind(error) }
    this.#span?.end({ attributes: { 'tandem.outcome': outcome }, error: failed })
  }

  #decode(codec: Codec<unknown>, bytes: Buffer): void {
    try {
      const value = codec.decode(bytes)
      if (!(value instanceof Promise)) {
        this.#decoded = { kind: 'value', value }
        return
      }
      this.#decoded = { kind: 'waiting' }
      value.then(
        (decoded) => this.#handleDecoded({ kind: 'value', value: decoded }),
        (error: unknown) => this.#handleDecoded({ kind: 'failed', error: failure(codec, error) }),
      )
    } catch (error) {
      this.#decoded = { kind: 'failed', error: failure(codec, error) }
    }
  }

  #handleDecoded(decoded: Decoded): void {
    this.#decoded = decoded
    this.onReady?.()
  }
}

function failure(codec: Codec<unknown>, error: unknown): CodecFailedError {
  if (isTandemError(error, 'TANDEM_CODEC_FAILED')) return error
  return new CodecFailedError(`Codec ${codec.name} could not read a message`, { codec: codec.name }, error)
}

/** A handler that fails at once must not turn into a busy loop. */
const NACK_DELAY_MS = 1_000
