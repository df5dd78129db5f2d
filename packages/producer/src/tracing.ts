/**
 * Spans of a producer, by OpenTelemetry's semantic conventions: one for each `send()`, whose context goes with the
 * message, and below it one for each lane, from the moment at which it is given the record until it has it no more:
 * acknowledged, voided, or left to the disk. Made only if somebody traces.
 *
 * A lane's span may outlast its send by hours. Since nobody needs its context it is made when it is over; until then
 * no more is kept than whose child it is.
 */
import { ROOT_CONTEXT, context, SpanKind, trace, type Attributes, type Context } from '@opentelemetry/api'

import {
  formatPosition,
  hasTraceContext,
  isTandemError,
  quietly,
  traceContext,
  traceHeaders,
  UndeliveredError,
  type Clock,
  type OpenSpan,
  type SpanEnd,
  type Spans,
} from '@tandem/common/internal'

import type { LaneIndex, SealedRecord } from './core/record.js'
import { topicOf, withHeaders, type Message, type ReadMessage } from './message.js'
import { isTopicName } from './options.js'
import { positionOf, type Receipt } from './receipt.js'
import type { Send } from './send.js'

export interface ProducerTracingOptions {
  readonly spans: Spans
  readonly clock: Clock
  readonly producerId: string
  readonly clusters: readonly string[]
}

type Resolve = (receipt: Receipt) => void
type Reject = (error: unknown) => void

/** What `new Promise()` executes, with the span of it if there is one. */
export type SendExecutor = (resolve: Resolve, reject: Reject, span?: OpenSpan) => void

export class ProducerTracing {
  readonly #options: ProducerTracingOptions
  /** Records that a lane has. */
  readonly #records = new Map<SealedRecord, readonly MessageTrace[]>()

  constructor(options: ProducerTracingOptions) {
    this.#options = options
  }

  /** For `new Promise()`: what it executes, as a span until it is over. */
  traced(message: Message, execute: SendExecutor): SendExecutor {
    return (resolve, reject) => {
      const span = this.#start(message)
      if (span === undefined) return execute(resolve, reject)
      const fail = (error: unknown): void => {
        span.end(failure(error))
        reject(error)
      }
      try {
        execute(
          (receipt) => {
            span.end()
            resolve(receipt)
          },
          fail,
          span,
        )
      } catch (error) {
        fail(error)
      }
    }
  }

  /** The message with the span's context. One that brings a context of its own keeps it, and the span is linked to it. */
  inject(message: ReadMessage, span: OpenSpan): ReadMessage {
    if (!hasTraceContext(message.headers)) return withHeaders(message, traceHeaders(span.context))
    span.link(traceContext(message.headers))
    return message
  }

  /** @param sends of its messages, in the order of their counters. */
  handleSealed(record: SealedRecord, sends: readonly Send[]): void {
    const traces: MessageTrace[] = []
    for (const [index, { span, size }] of sends.entries()) {
      if (span?.recording !== true) continue
      const position = formatPosition(positionOf(record, record.first + index))
      const attributes: Attributes = {
        'messaging.destination.partition.id': String(record.partition),
        'messaging.message.body.size': size ?? 0,
        'tandem.position': position,
        'tandem.key_range': record.sequence.keyRange,
      }
      if (size === undefined) attributes['messaging.kafka.message.tombstone'] = true
      span.set(attributes)
      // Not the span itself: whoever ended it may let it go.
      const parent = trace.setSpanContext(ROOT_CONTEXT, trace.getSpanContext(span.context)!)
      traces.push({ parent, position, zeroMs: span.zeroMs, handedAt: 0, lanes: 0 })
    }
    if (traces.length > 0) this.#records.set(record, traces)
  }

  /** Both lanes are given it. */
  handleHandedOver(record: SealedRecord): void {
    for (const traced of this.#records.get(record) ?? []) {
      traced.handedAt = this.#options.clock.now()
      traced.lanes = BOTH
    }
  }

  /** A lane has it no more. */
  handleOver(record: SealedRecord, lane: LaneIndex): void {
    for (const traced of this.#records.get(record) ?? []) {
      if ((traced.lanes & (1 << lane)) === 0) continue
      traced.lanes &= ~(1 << lane)
      if (traced.lanes === 0) this.#records.delete(record)
      this.#tell(record, lane, traced)
    }
  }

  /** Of what a lane has now, nobody will tell any more. */
  close(): void {
    for (const record of [...this.#records.keys()]) for (const lane of [0, 1] as const) this.handleOver(record, lane)
    this.#records.clear()
  }

  #start(message: Message): OpenSpan | undefined {
    const topic = topicOf(message)
    const name = isTopicName(topic) ? `send ${topic}` : 'send'
    const key = quietly(() => message.key)
    const attributes: Attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'tandem.producer_id': this.#options.producerId,
    }
    if (isTopicName(topic)) attributes['messaging.destination.name'] = topic
    if (typeof key === 'string') attributes['messaging.kafka.message.key'] = key
    return this.#options.spans.start(name, { kind: SpanKind.PRODUCER, attributes }, context.active())
  }

  #tell(record: SealedRecord, lane: LaneIndex, { parent, position, zeroMs, handedAt }: MessageTrace): void {
    const { spans, clock, clusters } = this.#options
    const { state, offset } = record.copies[lane]
    const attributes: Attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'write',
      'messaging.operation.type': 'send',
      'messaging.destination.name': record.topic,
      'messaging.destination.partition.id': String(record.partition),
      'tandem.cluster': clusters[lane]!,
      'tandem.position': position,
      'tandem.outcome': state,
    }
    if (state === 'acknowledged' && offset >= 0) attributes['messaging.kafka.offset'] = offset
    const options = { kind: SpanKind.CLIENT, attributes, startTime: zeroMs + handedAt }
    const error = state === 'refused' || state === 'given-up' ? { type: state } : undefined
    spans.tell(`write ${record.topic}`, options, parent, { error, endTime: zeroMs + clock.now() })
  }
}

/** Of a message that a lane has, or will be given. */
interface MessageTrace {
  /** The span of its send. */
  readonly parent: Context
  readonly position: string
  readonly zeroMs: number
  /** By the monotonic clock. */
  handedAt: number
  /** Those that have it, one bit each. */
  lanes: number
}

function failure(error: unknown): SpanEnd {
  if (!isTandemError(error)) return { error: { type: OTHER_ERROR } }
  const { code: type, message } = error
  const outcome = error instanceof UndeliveredError ? { 'tandem.outcome': error.outcome } : {}
  return { attributes: outcome, error: { type, message } }
}

/** OpenTelemetry's word for an error without a name. */
const OTHER_ERROR = '_OTHER'
const BOTH = 3
