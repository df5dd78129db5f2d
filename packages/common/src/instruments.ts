/**
 * The way to an OpenTelemetry meter.
 *
 * What grew and what was measured waits here and is told after the work that caused it, by a timer: a meter that calls
 * `send()` finds the instance at rest and does not recurse, and one that throws disturbs nothing. Counters are summed
 * while they wait, so they are exact however much happens; of measured values `WAITING_MAX` wait, and those beyond are
 * missing in their histogram. Gauges are read when the meter asks.
 *
 * Without a meter, and without a global meter provider when the instance is made, all of this is off.
 */
import { createNoopMeter, metrics, type Attributes, type Meter, type MetricOptions } from '@opentelemetry/api'

import type { Clock } from './clock.js'
import { METRICS, type MetricName } from './metrics.js'
import { quietly } from './quietly.js'

export interface InstrumentInfo {
  readonly kind: 'counter' | 'histogram'
  readonly name: string
  readonly meaning: string
  readonly unit?: string
  /** Of a histogram: bounds that suit it. */
  readonly bounds?: readonly number[]
}

/** One instrument with one set of attributes; kept by who measures, so that measuring makes no objects. */
export class Series {
  /** What is still to be told. */
  grown = 0

  constructor(
    readonly info: InstrumentInfo,
    readonly attributes: Attributes,
  ) {}
}

/** Gives the meter one value of a gauge. */
export type Observe = (name: MetricName, value: number, attributes: Attributes) => void

export class Instruments {
  /** Whether anybody measures; if not, nothing here does anything. */
  readonly on: boolean
  readonly #clock: Clock
  readonly #meter: Meter
  readonly #tellers = new Map<string, (value: number, attributes: Attributes) => void>()
  readonly #removals: (() => void)[] = []
  #grown: Series[] = []
  #measured: Series[] = []
  #values: number[] = []
  #scheduled = false
  #closed = false

  constructor({ clock, meter }: { clock: Clock; meter?: Meter | undefined }) {
    this.#clock = clock
    this.#meter = meter ?? metrics.getMeter('tandem')
    this.on = this.#meter !== createNoopMeter()
  }

  /** Lets a counter grow. */
  add(series: Series, value = 1): void {
    if (!this.on || this.#closed || value === 0) return
    if (series.grown === 0) this.#grown.push(series)
    series.grown += value
    this.#schedule()
  }

  /** Gives a histogram a value. */
  record(series: Series, value: number): void {
    if (!this.on || this.#closed || this.#values.length >= WAITING_MAX) return
    this.#measured.push(series)
    this.#values.push(value)
    this.#schedule()
  }

  /** Reads these gauges together, whenever the meter collects, until `close()`. */
  observe(names: readonly MetricName[], read: (observe: Observe) => void): void {
    if (!this.on || this.#closed) return
    quietly(() => {
      const gauges = new Map(
        names.map((name) => [name, this.#meter.createObservableGauge(name, optionsOf(METRICS[name]))] as const),
      )
      const all = [...gauges.values()]
      const callback: Parameters<Meter['addBatchObservableCallback']>[0] = (result) =>
        read((name, value, attributes) => result.observe(gauges.get(name)!, value, attributes))
      this.#removals.push(() => this.#meter.removeBatchObservableCallback(callback, all))
      this.#meter.addBatchObservableCallback(callback, all)
    })
  }

  /** Tells what waits, and takes the gauges back. */
  close(): void {
    if (this.#closed) return
    this.#drain()
    this.#closed = true
    for (const remove of this.#removals) quietly(remove)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.schedule(this.#clock.now(), () => this.#drain())
  }

  #drain(): void {
    if (this.#closed) return
    this.#scheduled = false
    const [grown, measured, values] = [this.#grown, this.#measured, this.#values]
    ;[this.#grown, this.#measured, this.#values] = [[], [], []]
    for (const series of grown) {
      const value = series.grown
      series.grown = 0
      this.#tell(series, value)
    }
    for (let i = 0; i < values.length; i++) this.#tell(measured[i]!, values[i]!)
  }

  #tell({ info, attributes }: Series, value: number): void {
    quietly(() => {
      let tell = this.#tellers.get(info.name)
      if (tell === undefined) this.#tellers.set(info.name, (tell = this.#make(info)))
      tell(value, attributes)
    })
  }

  #make(info: InstrumentInfo): (value: number, attributes: Attributes) => void {
    const options = optionsOf(info)
    if (info.kind === 'counter') {
      const counter = this.#meter.createCounter(info.name, options)
      return (value, attributes) => counter.add(value, attributes)
    }
    const advice = info.bounds === undefined ? {} : { advice: { explicitBucketBoundaries: [...info.bounds] } }
    const histogram = this.#meter.createHistogram(info.name, { ...options, ...advice })
    return (value, attributes) => histogram.record(value, attributes)
  }
}

function optionsOf({ meaning, unit }: { readonly meaning: string; readonly unit?: string }): MetricOptions {
  return unit === undefined ? { description: meaning } : { description: meaning, unit }
}

/** More than the sends that end in one turn of the loop; a bound all the same (I4). */
const WAITING_MAX = 100_000
