/** A meter for our tests, that keeps what it is told and collects when it is asked to. */
import type { Attributes, BatchObservableCallback, Meter, MetricOptions, Observable } from '@opentelemetry/api'

export interface Told {
  readonly name: string
  readonly value: number
  readonly attributes: Attributes | undefined
}

interface Gauge extends Observable {
  readonly name: string
}

export class RecordingMeter implements Meter {
  /** What counters and histograms were told, in order. */
  readonly told: Told[] = []
  /** Kind and options of each instrument. */
  readonly made = new Map<string, [kind: string, options: MetricOptions | undefined]>()
  readonly #callbacks = new Map<BatchObservableCallback, readonly Observable[]>()

  createCounter(name: string, options?: MetricOptions): { add: (value: number, attributes?: Attributes) => void } {
    this.made.set(name, ['counter', options])
    return { add: (value, attributes) => void this.told.push({ name, value, attributes }) }
  }

  createHistogram(name: string, options?: MetricOptions): { record: (value: number, attributes?: Attributes) => void } {
    this.made.set(name, ['histogram', options])
    return { record: (value, attributes) => void this.told.push({ name, value, attributes }) }
  }

  createObservableGauge(name: string, options?: MetricOptions): Gauge {
    this.made.set(name, ['gauge', options])
    return { name, addCallback: unused, removeCallback: unused }
  }

  createGauge = unused
  createUpDownCounter = unused
  createObservableCounter = unused
  createObservableUpDownCounter = unused

  addBatchObservableCallback(callback: BatchObservableCallback, observables: readonly Observable[]): void {
    this.#callbacks.set(callback, observables)
  }

  /** As the API has it: the same callback with the same observables. */
  removeBatchObservableCallback(callback: BatchObservableCallback, observables: readonly Observable[]): void {
    const known = this.#callbacks.get(callback)
    if (known?.length === observables.length && known.every((each) => observables.includes(each))) {
      this.#callbacks.delete(callback)
    }
  }

  get callbacks(): number {
    return this.#callbacks.size
  }

  /** What the gauges say now; of what was not registered with a callback it is not told, as by the real one. */
  collect(): Told[] {
    const observed: Told[] = []
    for (const [callback, observables] of this.#callbacks) {
      const observe = (metric: Observable, value: number, attributes?: Attributes): void => {
        if (observables.includes(metric)) observed.push({ name: (metric as Gauge).name, value, attributes })
      }
      void callback({ observe })
    }
    return observed
  }

  of(name: string): Told[] {
    return this.told.filter((each) => each.name === name)
  }

  sum(name: string): number {
    return this.of(name).reduce((sum, { value }) => sum + value, 0)
  }
}

function unused(): never {
  throw new Error('not used')
}
