import { metrics, type Attributes, type Meter, type MetricOptions } from '@opentelemetry/api'
import { expect } from 'chai'

import type { Clock } from './clock.js'
import { Instruments, Series, type Observe } from './instruments.js'
import { METRICS } from './metrics.js'
import { RecordingMeter } from './recording-meter.js'

const duration = new Series(
  { kind: 'histogram', name: 'duration', meaning: 'How long.', unit: 's', bounds: [1, 2] },
  { topic: 'entries' },
)
const sent = new Series({ kind: 'counter', name: 'sent', meaning: 'How many.' }, { topic: 'entries' })

/** Timers that fire when the test says so. */
class Timers implements Clock {
  readonly tasks: (() => void)[] = []
  now = (): number => 0
  wall = (): number => 0
  schedule = (_at: number, task: () => void): (() => void) => (this.tasks.push(task), () => undefined)
  fire(): void {
    for (const task of this.tasks.splice(0)) task()
  }
}

describe('instruments', () => {
  it('tells the meter after the work: sums of counters, each value of a histogram', () => {
    const clock = new Timers()
    const meter = new RecordingMeter()
    const instruments = new Instruments({ clock, meter })
    instruments.add(sent)
    instruments.add(sent, 2)
    instruments.record(duration, 1.5)
    instruments.record(duration, 2.5)
    expect([meter.told, clock.tasks.length]).to.deep.equal([[], 1])
    clock.fire()
    expect(meter.told).to.deep.equal([
      { name: 'sent', value: 3, attributes: { topic: 'entries' } },
      { name: 'duration', value: 1.5, attributes: { topic: 'entries' } },
      { name: 'duration', value: 2.5, attributes: { topic: 'entries' } },
    ])
    expect(meter.made).to.deep.equal(
      new Map<string, [string, MetricOptions]>([
        ['sent', ['counter', { description: 'How many.' }]],
        [
          'duration',
          ['histogram', { description: 'How long.', unit: 's', advice: { explicitBucketBoundaries: [1, 2] } }],
        ],
      ]),
    )
    clock.fire()
    instruments.add(sent)
    clock.fire()
    expect(meter.told).to.have.length(4)
  })

  it('counts exactly however much waits, and holds a bounded number of values (I4)', () => {
    const clock = new Timers()
    const meter = new RecordingMeter()
    const instruments = new Instruments({ clock, meter })
    for (let i = 0; i < 250_000; i++) {
      instruments.add(sent)
      instruments.record(duration, 1)
    }
    clock.fire()
    expect(meter.sum('sent')).to.equal(250_000)
    expect(meter.of('duration')).to.have.length(100_000)
    instruments.record(duration, 1)
    clock.fire()
    expect(meter.of('duration')).to.have.length(100_001)
  })

  it('is off without a meter and without a global provider, and then arms no timer', () => {
    const clock = new Timers()
    const instruments = new Instruments({ clock })
    instruments.add(sent)
    instruments.record(duration, 1)
    instruments.observe(['tandem_producer_away'], () => expect.fail('read'))
    instruments.close()
    expect([instruments.on, clock.tasks, sent.grown]).to.deep.equal([false, [], 0])
  })

  it('takes the global provider if there is one', () => {
    const meter = new RecordingMeter()
    metrics.setGlobalMeterProvider({ getMeter: () => meter })
    try {
      const instruments = new Instruments({ clock: new Timers() })
      instruments.add(sent, 4)
      instruments.close()
      expect(meter.sum('sent')).to.equal(4)
    } finally {
      metrics.disable()
    }
  })

  it('reads gauges together when the meter collects, and takes them back when it is closed', () => {
    const meter = new RecordingMeter()
    const instruments = new Instruments({ clock: new Timers(), meter })
    let reads = 0
    const read = (observe: Observe): void => {
      reads++
      observe('tandem_producer_away', 1, { cluster: 'east' })
      observe('tandem_producer_backlog_bytes', 7, { cluster: 'east' })
    }
    instruments.observe(['tandem_producer_away', 'tandem_producer_backlog_bytes'], read)
    expect(reads).to.equal(0)
    expect(meter.collect()).to.deep.equal([
      { name: 'tandem_producer_away', value: 1, attributes: { cluster: 'east' } },
      { name: 'tandem_producer_backlog_bytes', value: 7, attributes: { cluster: 'east' } },
    ])
    const { meaning, unit } = METRICS.tandem_producer_backlog_bytes
    expect(meter.made.get('tandem_producer_backlog_bytes')).to.deep.equal(['gauge', { description: meaning, unit }])
    instruments.close()
    expect([meter.collect(), meter.callbacks, reads]).to.deep.equal([[], 0, 1])
  })

  it('tells what waits when it is closed, and nothing after', () => {
    const clock = new Timers()
    const meter = new RecordingMeter()
    const instruments = new Instruments({ clock, meter })
    instruments.add(sent)
    instruments.close()
    instruments.add(sent)
    instruments.record(duration, 1)
    instruments.observe(['tandem_producer_away'], () => undefined)
    clock.fire()
    expect([meter.sum('sent'), meter.told.length, meter.callbacks]).to.deep.equal([1, 1, 0])
    expect(sent.grown).to.equal(0)
  })

  it('is not disturbed by a meter that throws, whatever it is asked', () => {
    const clock = new Timers()
    const fail = (): never => {
      throw new Error('no exporter')
    }
    const all = new Proxy({}, { get: () => fail }) as Meter
    const late = new Proxy({}, { get: () => () => new Proxy({}, { get: () => fail }) }) as Meter
    for (const meter of [all, late]) {
      const instruments = new Instruments({ clock, meter })
      instruments.add(sent)
      instruments.record(duration, 1)
      instruments.observe(['tandem_producer_away'], () => undefined)
      clock.fire()
      instruments.add(sent)
      instruments.close()
    }
  })

  it('neither recurses nor starves anybody when each thing told causes another', () => {
    const clock = new Timers()
    let [depth, deepest, told] = [0, 0, 0]
    const again = (_value: number, _attributes?: Attributes): void => {
      told++
      deepest = Math.max(deepest, ++depth)
      instruments.add(sent)
      instruments.record(duration, 1)
      depth--
    }
    const meter = { createCounter: () => ({ add: again }), createHistogram: () => ({ record: again }) }
    const instruments = new Instruments({ clock, meter: meter as unknown as Meter })
    instruments.add(sent)
    clock.fire()
    expect([told, clock.tasks.length]).to.deep.equal([1, 1])
    clock.fire()
    expect([told, clock.tasks.length, deepest]).to.deep.equal([3, 1, 1])
  })
})

describe('metrics', () => {
  it('has names, units and attributes that are bounded, and says for each what it means when it rises', () => {
    for (const [name, { kind, unit, attributes, meaning, rises }] of Object.entries(METRICS)) {
      expect(name).to.match(kind === 'counter' ? /^(tandem_[a-z_]+_total|messaging\.[a-z.]+)$/ : /^(tandem|messaging)/)
      expect(unit).to.match(/^(s|By|\{[a-z]+\})$/)
      expect(/_(seconds|bytes)$/.exec(name)?.[1] ?? '').to.equal(
        name.startsWith('messaging') ? '' : unit === 's' ? 'seconds' : unit === 'By' ? 'bytes' : '',
      )
      expect(['producer_id', 'cluster', ...MESSAGING]).to.include.members([...attributes])
      for (const text of [meaning, rises]) expect(text).to.match(/^[^|]+\.$/)
    }
  })
})

const MESSAGING = [
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.destination.name',
  'error.type',
]
