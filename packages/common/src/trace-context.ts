/**
 * The context of a trace in the headers of a record.
 *
 * It is written by the propagator that is registered, so that baggage and other formats go along, and as W3C trace
 * context (`traceparent`, `tracestate`) in any case: a tracer may be given without a propagator, and a log is read by
 * programs that were set up by others. Read in the same order.
 *
 * https://www.w3.org/TR/trace-context/
 */
import {
  createTraceState,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  trace,
  type Context,
  type SpanContext,
  type TextMapGetter,
} from '@opentelemetry/api'

import { quietly } from './quietly.js'

/** One object with a single property per header, in order: node-rdkafka's form. */
type Headers = readonly Readonly<Record<string, string | Buffer>>[]

/** What a record of this context carries; nothing if no span is in it. */
export function traceHeaders(context: Context): Readonly<Record<string, string>> {
  const span = trace.getSpanContext(context)
  if (span === undefined || !isSpanContextValid(span)) return {}
  const headers: Record<string, string> = {}
  quietly(() => propagation.inject(context, headers))
  if (Object.hasOwn(headers, TRACEPARENT)) return headers
  const { traceId, spanId, traceFlags, traceState } = span
  headers[TRACEPARENT] = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`
  const state = quietly(() => traceState?.serialize()) ?? ''
  if (state !== '') headers[TRACESTATE] = state
  return headers
}

export function hasTraceContext(headers: Headers): boolean {
  return headers.some((header) => Object.hasOwn(header, TRACEPARENT))
}

/** The context that a record carries; an empty one if it has none, or none that can be read. */
export function traceContext(headers: Headers): Context {
  const context = quietly(() => propagation.extract(ROOT_CONTEXT, headers, HEADERS)) ?? ROOT_CONTEXT
  if (trace.getSpanContext(context) !== undefined) return context
  const span = readTraceparent(headers)
  return span === undefined ? context : trace.setSpanContext(context, span)
}

function readTraceparent(headers: Headers): SpanContext | undefined {
  const [, version, traceId, spanId, flags, more] = TRACEPARENT_FORMAT.exec(textOf(headers, TRACEPARENT) ?? '') ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== '')) return undefined
  const state = textOf(headers, TRACESTATE)
  const span: SpanContext = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: parseInt(flags!, 16),
    isRemote: true,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
  }
  return isSpanContextValid(span) ? span : undefined
}

function textOf(headers: Headers, name: string): string | undefined {
  const header = headers.find((one) => Object.hasOwn(one, name))
  return header === undefined ? undefined : String(header[name])
}

const HEADERS: TextMapGetter<Headers> = {
  keys: (headers) => headers.flatMap((header) => Object.keys(header)),
  get: textOf,
}

const TRACEPARENT = 'traceparent'
const TRACESTATE = 'tracestate'
/** A later version may have more behind it. */
const TRACEPARENT_FORMAT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(|-.*)$/
