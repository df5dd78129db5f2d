/**
 * Spans of a consumer, by OpenTelemetry's semantic conventions: one for each delivery, from the moment at which it is
 * handed out until it is acknowledged or refused, linked to the span that sent the message. Not its child: a message may
 * be handled long after, by many groups, and more than once. Made only if somebody traces. What is dropped as a
 * duplicate is never handed out, and so has none.
 */
import { isUtf8 } from 'node:buffer'

import { SpanKind, trace, type Attributes } from '@opentelemetry/api'
import { formatPosition, traceContext, type OpenSpan, type Spans } from '@tandem/common/internal'

import type { Delivery } from './delivery.js'
import type { FeedRecord } from './kafka/feed-client.js'

export class ConsumerTracing {
  readonly #spans: Spans
  readonly #groupId: string

  constructor(options: { readonly spans: Spans; readonly groupId: string }) {
    this.#spans = options.spans
    this.#groupId = options.groupId
  }

  /** The span of a delivery that is about to be handed out. */
  start(delivery: Delivery, headers: FeedRecord['headers']): OpenSpan | undefined {
    const { topic, partition, keyRange, position, from, offset, key, bytes, late, redelivered } = delivery
    const attributes: Attributes = {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.consumer.group.name': this.#groupId,
      'messaging.kafka.offset': offset,
      ...(key !== null && isUtf8(key) ? { 'messaging.kafka.message.key': key.toString() } : {}),
      'messaging.message.body.size': bytes?.length ?? 0,
      ...(bytes === null ? { 'messaging.kafka.message.tombstone': true } : {}),
      'tandem.cluster': from,
      'tandem.position': formatPosition(position),
      'tandem.key_range': keyRange,
      'tandem.late': late,
      'tandem.redelivered': redelivered,
    }
    const sent = traceContext(headers)
    const sender = trace.getSpanContext(sent)
    const links = sender === undefined ? [] : [{ context: sender }]
    // A root, whatever is active: it is handed out in the course of something else. What came along, such as baggage, stays.
    return this.#spans.start(`process ${topic}`, { kind: SpanKind.CONSUMER, attributes, links, root: true }, sent)
  }
}
