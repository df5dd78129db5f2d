import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { expect } from 'chai'

import type { Delivery } from './delivery.js'
import { inKeyOrder } from './operators/in-key-order.js'
import type { ConsumerOptions } from './options.js'
import { Bench } from './world.test.js'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN_ID = '00f067aa0ba902b7'

class TracedBench extends Bench {
  readonly #exporter: InMemorySpanExporter

  constructor(options: Partial<ConsumerOptions> = {}) {
    const exporter = new InMemorySpanExporter()
    const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('t')
    super({ tracer, ...options })
    this.#exporter = exporter
  }

  override async bring(partition: number, first: number, last = first): Promise<void> {
    const traceparent = Buffer.from(`00-${TRACE_ID}-${SPAN_ID}-01`)
    for (const feed of this.feeds) feed.headersOf = () => [{ traceparent }]
    await super.bring(partition, first, last)
  }

  /** Those that are over, after what was done has been told. */
  async spans(): Promise<ReadableSpan[]> {
    await this.clock.pass(1)
    return this.#exporter.getFinishedSpans()
  }
}

/** The span that is active while a delivery is worked on. */
function spanOf(delivery: Delivery): string | undefined {
  return trace.getSpanContext(delivery.context)?.spanId
}

describe('consumer: tracing', () => {
  before(() => context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
  after(() => context.disable())

  it('gives an empty context if nobody traces', async () => {
    const bench = await new Bench().start()
    await bench.bring(0, 1)
    expect(bench.deliveries[0]!.context).to.equal(ROOT_CONTEXT)
  })

  it('makes a span of each delivery until it is acknowledged, linked to the one that sent it, and none of a duplicate', async () => {
    const bench = await new TracedBench().start()
    for (const feed of bench.feeds) feed.keyOf = () => Buffer.from('k')
    await bench.bring(0, 1)
    await bench.clock.pass(250)
    expect(await bench.spans()).to.deep.equal([])
    bench.deliveries[0]!.ack()
    bench.deliveries[0]!.ack()
    const [span, ...others] = await bench.spans()
    expect(others).to.deep.equal([])
    expect(bench.consumer.status().duplicatesDropped).to.equal(1)
    expect(span!.name).to.equal('process t')
    expect(span!.kind).to.equal(SpanKind.CONSUMER)
    expect(span!.parentSpanContext).to.equal(undefined)
    expect(span!.spanContext().traceId).not.to.equal(TRACE_ID)
    expect(span!.links.map(({ context: { traceId, spanId } }) => [traceId, spanId])).to.deep.equal([
      [TRACE_ID, SPAN_ID],
    ])
    expect(span!.status.code).to.equal(SpanStatusCode.UNSET)
    expect(span!.duration).to.deep.equal([0, 251_000_000])
    expect(span!.attributes).to.deep.equal({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 't',
      'messaging.destination.partition.id': '0',
      'messaging.consumer.group.name': 'g',
      'messaging.kafka.offset': 0,
      'messaging.kafka.message.key': 'k',
      'messaging.message.body.size': 1,
      'tandem.cluster': 'east',
      'tandem.position': 'p@1.1:1',
      'tandem.key_range': 0,
      'tandem.late': false,
      'tandem.redelivered': false,
      'tandem.outcome': 'acknowledged',
    })
  })

  it('ends it with the error of a nack, and makes another one of what is delivered again', async () => {
    const bench = await new TracedBench().start()
    await bench.bring(0, 1)
    bench.deliveries[0]!.nack(new RangeError('no'), { delayMs: 100 })
    await bench.clock.pass(200)
    bench.deliveries[1]!.ack()
    const [refused, again, ...others] = await bench.spans()
    expect(others).to.deep.equal([])
    expect(refused!.status.code).to.equal(SpanStatusCode.ERROR)
    expect(refused!.attributes).to.include({ 'tandem.outcome': 'refused', 'error.type': 'RangeError' })
    expect(again!.status.code).to.equal(SpanStatusCode.UNSET)
    expect(again!.attributes).to.include({ 'tandem.outcome': 'acknowledged', 'tandem.redelivered': true })
    expect(again!.links).to.have.length(1)
  })

  it('ends those that are never acknowledged when the consumer is closed', async () => {
    const bench = await new TracedBench({ closeTimeoutMs: 100 }).start()
    await bench.bring(0, 1)
    const closed = bench.consumer.close()
    await bench.clock.pass(10_000)
    await closed
    const outcomes = (await bench.spans()).map(({ attributes }) => attributes['tandem.outcome'])
    expect(outcomes).to.deep.equal(['gone'])
  })

  it('makes its context the active one while it is handed out, whatever is active where that is caused', async () => {
    const bench = new TracedBench({ unacknowledgedMax: 1 })
    const active: (string | undefined)[] = []
    await bench.start()
    const seen = bench.deliveries
    const push = seen.push.bind(seen)
    seen.push = (...deliveries) => {
      active.push(trace.getActiveSpan()?.spanContext().spanId)
      return push(...deliveries)
    }
    await bench.bring(0, 1, 2)
    context.with(seen[0]!.context, () => seen[0]!.ack())
    expect(seen).to.have.length(2)
    expect(active).to.deep.equal(seen.map(spanOf))
    expect(new Set(active).size).to.equal(2)
  })

  it('makes it the active one in handlers and dead letters of inKeyOrder, and tells there of each failure', async () => {
    const bench = new TracedBench()
    const active: Record<string, string | undefined> = {}
    const handler = async (delivery: Delivery<Buffer>): Promise<void> => {
      await Promise.resolve()
      active[`handled ${delivery.position.counter}`] = trace.getActiveSpan()?.spanContext().spanId
      if (delivery.position.counter === 2) throw new RangeError('no such account')
    }
    const deadLetter = async (delivery: Delivery): Promise<void> => {
      active[`buried ${delivery.position.counter}`] = trace.getActiveSpan()?.spanContext().spanId
    }
    const classify = (): 'permanent' => 'permanent'
    await bench.start((deliveries$) => deliveries$.pipe(inKeyOrder(handler, { concurrency: 1, classify, deadLetter })))
    await bench.bring(0, 1, 2)
    const [first, second] = await bench.spans()
    const idOf = (span: ReadableSpan | undefined): string | undefined => span?.spanContext().spanId
    expect(active).to.deep.equal({
      'handled 1': idOf(first),
      'handled 2': idOf(second),
      'buried 2': idOf(second),
    })
    expect(first!.events).to.deep.equal([])
    expect(second!.events.map(({ attributes }) => attributes?.['exception.message'])).to.deep.equal(['no such account'])
  })

  it('loses nothing to a tracer that throws', async () => {
    const fail = (): never => {
      throw new Error('no')
    }
    const bench = await new TracedBench({ tracer: { startSpan: fail, startActiveSpan: fail } }).start()
    await bench.bring(0, 1, 3)
    for (const delivery of bench.deliveries) delivery.ack()
    await bench.clock.pass(1_000)
    expect(bench.out).to.equal('1 2 3')
    expect(await bench.stored(0)).to.include({ frontier: 3 })
  })
})
