import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Tracer } from '@opentelemetry/api'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { expect } from 'chai'

import { LevelJournal } from './journal/level-journal.js'
import type { Message } from './message.js'
import type { ProducerOptions } from './options.js'
import type { Producer } from './producer.js'
import { isSettled, outcome, World } from './world.test.js'

class TracedWorld extends World {
  readonly #exporter = new InMemorySpanExporter()
  readonly tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(this.#exporter)] }).getTracer(
    't',
  )

  override connected(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    return super.connected({ tracer: this.tracer, ...options })
  }

  /** By name, and of lanes by cluster. */
  get spans(): Record<string, ReadableSpan[]> {
    const spans: Record<string, ReadableSpan[]> = {}
    for (const span of this.#exporter.getFinishedSpans()) {
      const { 'tandem.cluster': cluster } = span.attributes
      ;(spans[cluster === undefined ? span.name : `${span.name} ${String(cluster)}`] ??= []).push(span)
    }
    return spans
  }

  /** The header of every record of both logs. */
  headers(name: string): string[] {
    return [this.east, this.west].flatMap((cluster) =>
      cluster.records().flatMap(({ headers }) => headers.flatMap((header) => header[name] ?? [])),
    )
  }
}

function message(more: Partial<Message> = {}): Message {
  return { topic: 'entries', key: 'k', value: 'value', ...more }
}

function traceparent(span: ReadableSpan): string {
  const { traceId, spanId } = span.spanContext()
  return `00-${traceId}-${spanId}-01`
}

/** What is active while `work` begins; the tests have no context manager. */
function within<T>(active: Context, work: () => T): T {
  const own = { active: () => active, with: unused, bind: unused, enable: () => own, disable: () => own }
  context.setGlobalContextManager(own as never)
  try {
    return work()
  } finally {
    context.disable()
  }
}

function unused(): never {
  throw new Error('not used')
}

describe('producer: tracing', () => {
  it('writes no header and makes no span if nobody traces', async () => {
    const world = new TracedWorld()
    const producer = await world.connected({ tracer: undefined })
    await Promise.all([producer.send(message()), world.pass(100)])
    expect([...world.east.records(), ...world.west.records()].map(({ headers }) => headers.length)).to.deep.equal([
      1, 1,
    ])
    expect(world.spans).to.deep.equal({})
  })

  it('makes a span of a send() below the active one, one of each lane below it, and both logs carry its context', async () => {
    const world = new TracedWorld()
    const producer = await world.connected()
    world.east.delayMs = 20
    world.west.delayMs = 500
    const caller = world.tracer.startSpan('caller', {}, ROOT_CONTEXT)
    const sent = within(trace.setSpan(ROOT_CONTEXT, caller), () => producer.send(message()))
    await Promise.all([sent, world.pass(1_000)])
    const { position, partition, keyRange } = await sent
    const {
      'send entries': [send] = [],
      'write entries east': [east] = [],
      'write entries west': [west] = [],
      ...others
    } = world.spans
    expect(others).to.deep.equal({})

    const place = {
      'messaging.system': 'kafka',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'entries',
      'messaging.destination.partition.id': String(partition),
      'tandem.position': `p@7.500:${position.counter}`,
    }
    expect(send!.kind).to.equal(SpanKind.PRODUCER)
    expect(send!.parentSpanContext?.spanId).to.equal(caller.spanContext().spanId)
    expect(send!.status.code).to.equal(SpanStatusCode.UNSET)
    expect(send!.attributes).to.deep.equal({
      ...place,
      'messaging.operation.name': 'send',
      'messaging.kafka.message.key': 'k',
      'messaging.message.body.size': 5,
      'tandem.producer_id': 'p',
      'tandem.key_range': keyRange,
    })
    for (const lane of [east!, west!]) {
      expect(lane.kind).to.equal(SpanKind.CLIENT)
      expect(lane.parentSpanContext?.spanId).to.equal(send!.spanContext().spanId)
      expect(lane.spanContext().traceId).to.equal(send!.spanContext().traceId)
      expect(lane.attributes).to.deep.equal({
        ...place,
        'messaging.operation.name': 'write',
        'messaging.kafka.offset': 0,
        'tandem.cluster': lane === east ? 'east' : 'west',
        'tandem.outcome': 'acknowledged',
      })
    }
    const ms = ({ duration: [s, ns] }: ReadableSpan): number => s * 1_000 + ns / 1_000_000
    expect([send!, east!, west!].map(ms)).to.deep.equal([20, 20, 500])
    expect(world.headers('traceparent')).to.deep.equal([traceparent(send!), traceparent(send!)])
  })

  it('tells of a send() that failed by its code, and of a lane that did not write it by what it did instead', async () => {
    const world = new TracedWorld()
    const producer = await world.connected({ sendTimeoutMs: 1_000 })
    world.west.valueBytesMax = 10
    await Promise.all([producer.send(message({ value: 'longer than ten' })), world.pass(1_000)])
    expect(world.spans['write entries west']![0]!.attributes).to.include({
      'tandem.outcome': 'refused',
      'error.type': 'refused',
    })
    expect(world.spans['write entries west']![0]!.status.code).to.equal(SpanStatusCode.ERROR)
    world.east.hang()
    world.west.hang()
    const failed = [
      producer.send(message({ value: null })),
      producer.send(message({ topic: 'no topic' })),
      producer.send(null as never),
      producer.send(message(), { signal: AbortSignal.abort() }),
    ].map(outcome)
    await world.pass(2_000)
    await Promise.all(failed)
    const { send = [], 'send entries': sendEntries = [] } = world.spans
    const told = [...send, ...sendEntries]
      .filter(({ attributes }) => 'error.type' in attributes)
      .map(({ name, attributes, status }) => [
        name,
        attributes['error.type'],
        attributes['tandem.outcome'],
        status.message,
      ])
    expect(told.map((row) => row.slice(0, 3).join(' ')).sort()).to.deep.equal([
      'send TANDEM_MESSAGE_INVALID ',
      'send TANDEM_MESSAGE_INVALID ',
      'send entries TANDEM_ABORTED ',
      'send entries TANDEM_UNDELIVERED unknown',
    ])
    for (const [, , , text] of told) expect(text).to.be.a('string')
  })

  it('ends spans of lanes by what became of the copy, also when the producer is closed before', async () => {
    const world = new TracedWorld()
    const producer = await world.connected()
    world.west.hang()
    await Promise.all([producer.send(message()), world.pass(100)])
    expect(world.spans).to.have.all.keys('send entries', 'write entries east')
    await Promise.all([producer.close({ timeoutMs: 0 }), world.pass(10_000)])
    expect(world.spans['write entries west']![0]!.attributes).to.include({ 'tandem.outcome': 'in-client' })
  })

  it('ends the span of a lane that leaves a record to the disk', async () => {
    const path = mkdtempSync(join(tmpdir(), 'tandem-tracing-'))
    const world = new TracedWorld()
    const journal = { path, mode: 'on-outage' } as const
    const options = { tracer: world.tracer, journal, backlogBytesMax: 65_536 }
    const producer = world.producer(options, () => ({ journal: (path) => new LevelJournal(path) }))
    // The disk is a real one, and takes real time.
    const passUntil = async (done: Promise<unknown>): Promise<void> => {
      for (; !(await isSettled(done)); await world.pass(1)) await new Promise((resolve) => setTimeout(resolve, 1))
      await done
    }
    await passUntil(producer.connect())
    world.west.hang()
    await passUntil(producer.sendMany(Array.from({ length: 300 }, () => message({ value: 'x'.repeat(1_000) }))))
    await passUntil(producer.close({ timeoutMs: 0 }))
    rmSync(path, { recursive: true })
    const { 'write entries east': east = [], 'write entries west': west = [] } = world.spans
    const outcomes = west.map(({ attributes }) => attributes['tandem.outcome'])
    expect([east.length, west.length]).to.deep.equal([300, 300])
    expect(outcomes.filter((outcome) => outcome === 'on-disk').length).to.be.greaterThan(100)
    expect(world.spans['send entries']).to.have.length(300)
  })

  it('leaves a context that the message brings, and links to it; a header of another name stands', async () => {
    const world = new TracedWorld()
    const producer = await world.connected()
    const own = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    await Promise.all([producer.send(message({ headers: { traceparent: own, tag: 'a' } })), world.pass(100)])
    expect(world.headers('traceparent')).to.deep.equal([own, own])
    expect(world.headers('tracestate')).to.deep.equal([])
    const [send] = world.spans['send entries']!
    expect(send!.links.map(({ context }) => context.spanId)).to.deep.equal(['00f067aa0ba902b7'])
    await Promise.all([producer.send(message({ headers: { tag: 'b' } })), world.pass(100)])
    expect(world.spans['send entries']![1]!.links).to.deep.equal([])
    expect(world.headers('tag').sort()).to.deep.equal(['a', 'a', 'b', 'b'])
  })

  it('loses nothing to a tracer that throws, or to an exporter that sends', async () => {
    const world = new TracedWorld()
    const fail = (): never => {
      throw new Error('no')
    }
    const broken = await world.connected({ tracer: { startSpan: fail, startActiveSpan: fail } })
    await Promise.all([broken.send(message()), world.pass(100)])
    expect(world.headers('traceparent')).to.deep.equal([])

    const sends: Promise<unknown>[] = []
    let producer: Producer | undefined = undefined
    const onEnd = ({ name }: ReadableSpan): void => {
      if (name === 'send entries' && sends.length < 5) sends.push(producer!.send(message()))
    }
    const idle = (): Promise<void> => Promise.resolve()
    const spanProcessors = [{ onStart: () => undefined, onEnd, forceFlush: idle, shutdown: idle }]
    const tracer: Tracer = new BasicTracerProvider({ spanProcessors }).getTracer('t')
    producer = await world.connected({ producerId: 'q', tracer })
    await Promise.all([producer.send(message()), world.pass(100)])
    await Promise.all(sends)
    expect(world.east.records()).to.have.length(7)
    expect(world.west.records()).to.have.length(7)
  })
})
