/**
 * The way to an OpenTelemetry tracer.
 *
 * A span begins at once, since its context goes on with the message. It is ended after the work, by a timer, as of the
 * moment at which it was over: an exporter that calls `send()` finds the instance at rest. A tracer that throws
 * disturbs nothing. Of spans that are over `WAITING_MAX` wait to be told; those beyond are missing.
 *
 * Times are those of the Clock: from the machine's clock at the beginning, and monotonic from there.
 *
 * Without a tracer, and without a global tracer provider when the instance is made, all of this is off.
 */
import {
  ProxyTracerProvider,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type SpanOptions,
  type Tracer,
} from '@opentelemetry/api'

import type { Clock } from './clock.js'
import { quietly } from './quietly.js'

/** What is known of a span when it is over. */
export interface SpanEnd {
  readonly attributes?: Attributes
  /** Why what it stands for failed; `type` is one of few. */
  readonly error?: { readonly type: string; readonly message?: string } | undefined
}

export class Spans {
  /** Whether anybody traces; if not, nothing here does anything. */
  readonly on: boolean
  readonly #clock: Clock
  readonly #tracer: Tracer
  #waiting: (() => void)[] = []
  #scheduled = false
  #closed = false

  constructor({ clock, tracer }: { clock: Clock; tracer?: Tracer | undefined }) {
    this.#clock = clock
    this.#tracer = tracer ?? trace.getTracer(TRACER)
    this.on = tracer !== undefined || isRegistered()
  }

  /** Nothing if nobody traces, or if the tracer fails. */
  start(name: string, options: SpanOptions, parent: Context): OpenSpan | undefined {
    if (!this.on || this.#closed) return undefined
    const zeroMs = this.#clock.wall() - this.#clock.now()
    const startTime = zeroMs + this.#clock.now()
    return quietly(() => {
      const span = this.#tracer.startSpan(name, { ...options, startTime }, parent)
      const end = (end: SpanEnd): void => {
        const endTime = zeroMs + this.#clock.now()
        this.#later(() => finish(span, end, endTime))
      }
      return new OpenSpan({ span, context: trace.setSpan(parent, span), zeroMs, end })
    })
  }

  /** A span that nobody needed before it was over; times in ms since 1970. */
  tell(
    name: string,
    options: SpanOptions & { readonly startTime: number },
    parent: Context,
    end: SpanEnd & { readonly endTime: number },
  ): void {
    if (this.on) this.#later(() => finish(this.#tracer.startSpan(name, options, parent), end, end.endTime))
  }

  /** Tells what waits. */
  close(): void {
    this.#drain()
    this.#closed = true
  }

  #later(task: () => void): void {
    if (this.#closed || this.#waiting.length >= WAITING_MAX) return
    this.#waiting.push(task)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.schedule(this.#clock.now(), () => this.#drain())
  }

  #drain(): void {
    this.#scheduled = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const task of waiting) quietly(task)
  }
}

/** A span that has begun. */
export class OpenSpan {
  /** Its parent's context, with this span as the active one. */
  readonly context: Context
  /** What the monotonic clock's 0 was by the machine's clock when it began. */
  readonly zeroMs: number
  readonly #span: Span
  readonly #end: (end: SpanEnd) => void
  #over = false

  constructor(parts: { span: Span; context: Context; zeroMs: number; end: (end: SpanEnd) => void }) {
    this.context = parts.context
    this.zeroMs = parts.zeroMs
    this.#span = parts.span
    this.#end = parts.end
  }

  /** Whether anybody will see it. */
  get recording(): boolean {
    return quietly(() => this.#span.isRecording()) ?? false
  }

  set(attributes: Attributes): void {
    quietly(() => this.#span.setAttributes(attributes))
  }

  /** Links it to the span of another context, if there is one. */
  link(context: Context): void {
    const linked = trace.getSpanContext(context)
    if (linked !== undefined) quietly(() => this.#span.addLink({ context: linked }))
  }

  /** It ends now. Only the first end counts. */
  end(end: SpanEnd = {}): void {
    if (this.#over) return
    this.#over = true
    this.#end(end)
  }
}

function finish(span: Span, { attributes, error }: SpanEnd, endTime: number): void {
  if (attributes !== undefined) span.setAttributes(attributes)
  if (error !== undefined) {
    span.setAttribute('error.type', error.type)
    span.setStatus({ code: SpanStatusCode.ERROR, ...(error.message === undefined ? {} : { message: error.message }) })
  }
  span.end(endTime)
}

/** The API gives a tracer in any case; whether it leads anywhere, its own provider says. */
function isRegistered(): boolean {
  const provider = trace.getTracerProvider()
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(TRACER) !== undefined
}

const TRACER = 'tandem'
/** More than the spans that end in one turn of the loop; a bound all the same (I4). */
const WAITING_MAX = 100_000
