import type { Meter, Tracer } from '@opentelemetry/api'
import { Subject, type Observable } from 'rxjs'

import type { Clock } from './clock.js'
import { EVENTS, type EventKind, type TandemEvent, type TandemFact } from './events.js'
import { Instruments, Series } from './instruments.js'
import { quietly } from './quietly.js'
import { Spans } from './spans.js'

/** What tandem needs of a logger; a pino logger fits. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * One fact, told three times: an event, a log line, a metric. Nothing can be silent in one of them (I6).
 *
 * Facts are told after the work that caused them, from a queue and by a timer: a logger, a meter or a subscriber that
 * calls `send()` finds the instance at rest, and one that causes a new fact for each one it hears starves nobody. A
 * logger or meter that throws disturbs nothing; a subscriber that throws is reported by RxJS as an uncaught exception.
 * The queue keeps `WAITING_MAX` facts; beyond that only the metric counts.
 */
export class Telemetry {
  readonly events$: Observable<TandemEvent>
  /** For what is measured beside events. */
  readonly instruments: Instruments
  /** For what is traced. */
  readonly spans: Spans
  readonly #subject = new Subject<TandemEvent>()
  readonly #clock: Clock
  readonly #logger: Logger | undefined
  readonly #counted = new Map<string, Series>()
  #waiting: TandemEvent[] = []
  #scheduled = false
  #closed = false

  constructor(options: {
    clock: Clock
    logger?: Logger | undefined
    meter?: Meter | undefined
    tracer?: Tracer | undefined
  }) {
    this.#clock = options.clock
    this.#logger = options.logger
    this.instruments = new Instruments(options)
    this.spans = new Spans(options)
    this.events$ = this.#subject.asObservable()
  }

  tell(fact: TandemFact): void {
    if (this.#closed) return
    const event = { ...fact, atMs: this.#clock.wall() } as TandemEvent
    this.#count(event)
    if (this.#waiting.length >= WAITING_MAX) return
    this.#waiting.push(event)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.schedule(this.#clock.now(), () => this.#drain())
  }

  /** Tells what waits, then completes `events$`. */
  close(): void {
    this.#drain()
    this.instruments.close()
    this.spans.close()
    this.#closed = true
    this.#subject.complete()
  }

  #drain(): void {
    this.#scheduled = false
    const batch = this.#waiting
    this.#waiting = []
    for (const event of batch) {
      this.#log(event)
      this.#subject.next(event)
    }
  }

  #count(event: TandemEvent): void {
    if (!this.instruments.on) return
    const { kind } = event
    const { labels, meaning } = EVENTS[kind]
    const fields = event as unknown as Record<string, string | number | undefined>
    const attributes: Record<string, string> = {}
    for (const label of labels) {
      const value = fields[label]
      if (value !== undefined) attributes[label] = String(value)
    }
    const key = JSON.stringify([kind, attributes])
    let series = this.#counted.get(key)
    if (series === undefined) {
      series = new Series({ kind: 'counter', name: metricName(kind), meaning }, attributes)
      this.#counted.set(key, series)
    }
    this.instruments.add(series, typeof fields['count'] === 'number' ? fields['count'] : 1)
  }

  #log(event: TandemEvent): void {
    quietly(() => this.#logger?.[EVENTS[event.kind].level](event, event.kind))
  }
}

/** `circuit-opened` -> `tandem_circuit_opened_total`. */
export function metricName(kind: EventKind): string {
  return `tandem_${kind.replaceAll('-', '_')}_total`
}

/** Far above what one turn of the loop can bring forth; a bound all the same (I4). */
const WAITING_MAX = 10_000
