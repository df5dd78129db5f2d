import type { Attributes, Meter } from '@opentelemetry/api'
import { expect } from 'chai'

import type { Clock } from './clock.js'
import { EVENTS, type EventKind, type TandemEvent, type TandemFact } from './events.js'
import { metricName, Telemetry, type Logger } from './telemetry.js'

const clock: Clock = { now: () => 0, wall: () => 1234, schedule: (_at, task) => (setImmediate(task), () => undefined) }
const opened: TandemFact = {
  kind: 'circuit-opened',
  cluster: 'east',
  topic: 'entries',
  partition: 3,
  reason: 'failures',
}
const shed: TandemFact = { kind: 'message-shed', reason: 'both-away', count: 7 }

/** Enough turns of the loop for everything that was told, and for what telling it brought forth. */
async function told(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

interface Counted {
  readonly name: string
  readonly value: number
  readonly labels: Attributes | undefined
}

function countingMeter(counted: Counted[], created: string[] = []): Meter {
  return {
    createCounter(name: string) {
      created.push(name)
      return { add: (value: number, labels?: Attributes) => void counted.push({ name, value, labels }) }
    },
  } as unknown as Meter
}

function recordingLogger(lines: [string, object, string][]): Logger {
  return {
    debug: (fields, message) => void lines.push(['debug', fields, message]),
    info: (fields, message) => void lines.push(['info', fields, message]),
    warn: (fields, message) => void lines.push(['warn', fields, message]),
    error: (fields, message) => void lines.push(['error', fields, message]),
  }
}

describe('telemetry', () => {
  it('tells one fact three times: event, log line, metric (I6)', async () => {
    const events: TandemEvent[] = []
    const lines: [string, object, string][] = []
    const counted: Counted[] = []
    const telemetry = new Telemetry({ clock, logger: recordingLogger(lines), meter: countingMeter(counted) })
    telemetry.events$.subscribe((event) => events.push(event))
    telemetry.tell(opened)
    await told()
    expect(events).to.deep.equal([{ ...opened, atMs: 1234 }])
    expect(lines).to.deep.equal([['warn', { ...opened, atMs: 1234 }, 'circuit-opened']])
    expect(counted).to.deep.equal([
      { name: 'tandem_circuit_opened_total', value: 1, labels: { cluster: 'east', topic: 'entries' } },
    ])
  })

  it('lets the metric grow by count, and creates one counter for a kind', async () => {
    const counted: Counted[] = []
    const created: string[] = []
    const telemetry = new Telemetry({ clock, meter: countingMeter(counted, created) })
    telemetry.tell(shed)
    telemetry.tell(shed)
    telemetry.tell({ ...shed, reason: 'backlog' })
    await told()
    telemetry.tell(shed)
    await told()
    expect(counted.map(({ value, labels }) => [value, labels])).to.deep.equal([
      [14, { reason: 'both-away' }],
      [7, { reason: 'backlog' }],
      [7, { reason: 'both-away' }],
    ])
    expect(created).to.deep.equal(['tandem_message_shed_total'])
  })

  it('tells after the work that caused it, never inside of tell()', async () => {
    const kinds: EventKind[] = []
    const telemetry = new Telemetry({ clock })
    telemetry.events$.subscribe(({ kind }) => kinds.push(kind))
    telemetry.tell(opened)
    telemetry.tell(shed)
    expect(kinds).to.deep.equal([])
    await told()
    expect(kinds).to.deep.equal(['circuit-opened', 'message-shed'])
  })

  it('tells what a subscriber brings forth afterwards, without recursion', async () => {
    const order: string[] = []
    const telemetry = new Telemetry({ clock })
    telemetry.events$.subscribe(({ kind }) => {
      order.push(`begin ${kind}`)
      if (kind === 'circuit-opened') telemetry.tell(shed)
      order.push(`end ${kind}`)
    })
    telemetry.tell(opened)
    await told()
    expect(order).to.deep.equal([
      'begin circuit-opened',
      'end circuit-opened',
      'begin message-shed',
      'end message-shed',
    ])
  })

  it('is not disturbed by a logger that throws', async () => {
    const events: TandemEvent[] = []
    const fail = (): never => {
      throw new Error('disk full')
    }
    const telemetry = new Telemetry({ clock, logger: { debug: fail, info: fail, warn: fail, error: fail } })
    telemetry.events$.subscribe((event) => events.push(event))
    telemetry.tell(opened)
    telemetry.tell(shed)
    await told()
    expect(events.map(({ kind }) => kind)).to.deep.equal(['circuit-opened', 'message-shed'])
  })

  it('is not disturbed by a meter that throws, and tells it nothing inside of tell()', async () => {
    const events: TandemEvent[] = []
    let depth = 0
    let asked = 0
    const createCounter = (): never => {
      expect(depth).to.equal(0)
      asked++
      telemetry.tell(opened) // as by a send(); told later, too
      throw new Error('no exporter')
    }
    const telemetry = new Telemetry({ clock, meter: { createCounter } as unknown as Meter })
    telemetry.events$.subscribe((event) => events.push(event))
    depth++
    telemetry.tell(opened)
    depth--
    await told()
    expect(events.length).to.be.above(1)
    expect(asked).to.be.above(1)
    telemetry.close()
  })

  it('holds a bounded number of facts, and counts those beyond it all the same (I4)', async () => {
    const counted: Counted[] = []
    let events = 0
    const telemetry = new Telemetry({ clock, meter: countingMeter(counted) })
    telemetry.events$.subscribe(() => events++)
    for (let i = 0; i < 25_000; i++) telemetry.tell(opened)
    await told()
    expect(counted.map(({ value }) => value)).to.deep.equal([25_000])
    expect(events).to.equal(10_000)
    telemetry.tell(opened)
    await told()
    expect(events).to.equal(10_001)
  })

  it('tells what waits when it is closed, then completes and is silent', async () => {
    const seen: string[] = []
    const lines: [string, object, string][] = []
    const counted: Counted[] = []
    const telemetry = new Telemetry({ clock, logger: recordingLogger(lines), meter: countingMeter(counted) })
    telemetry.events$.subscribe({ next: ({ kind }) => seen.push(kind), complete: () => seen.push('complete') })
    telemetry.tell(opened)
    telemetry.close()
    expect(seen).to.deep.equal(['circuit-opened', 'complete'])
    telemetry.tell(shed)
    await told()
    expect(seen).to.deep.equal(['circuit-opened', 'complete'])
    expect([lines.length, counted.length]).to.deep.equal([1, 1])
  })

  it('gives every kind a metric of its own with labels that are bounded in number', () => {
    const kinds = Object.keys(EVENTS) as EventKind[]
    const names = kinds.map(metricName)
    expect(new Set(names).size).to.equal(kinds.length)
    for (const name of names) expect(name).to.match(/^tandem(_[a-z]+)+_total$/)
    for (const kind of kinds) {
      expect(kind).to.match(/^[a-z]+(-[a-z]+)+$/)
      expect(['cluster', 'topic', 'reason', 'outcome', 'verdict', 'fate']).to.include.members([...EVENTS[kind].labels])
      expect(EVENTS[kind].meaning).to.match(/^\S.{20,}\.$/)
    }
  })
})
