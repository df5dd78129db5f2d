import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { Consumer, inKeyOrder, RedisHighWaterStore, type Delivery } from '@tandem/consumer'
import { ClockEpochs, Producer } from '@tandem/producer'
import { expect } from 'chai'
import { Redis } from 'ioredis'

import { until } from './program.js'
import { clustersOf, createTopic, realClusters, type RealClusters } from './real-clusters.js'

/** One trace from the caller of `send()` to both real logs, and from a handler back to it. */
describe('a message is traced', function () {
  this.timeout(60_000)
  let real: RealClusters
  let topic: string

  before(async () => {
    real = await realClusters()
    topic = await createTopic(real, 'traced')
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  })

  after(() => context.disable())

  it('from send() to both clusters, and from its handler until it is acknowledged', async () => {
    const exporter = new InMemorySpanExporter()
    const tracer = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).getTracer('test')
    const spans = (name: string): ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.name === name)
    const producer = new Producer({
      producerId: 'ledger',
      clusters: clustersOf(real),
      topics: { [topic]: {} },
      acknowledge: 'both',
      epochs: new ClockEpochs(),
      tracer,
    })
    const redis = new Redis(real.redis.url)
    const consumer = new Consumer<Buffer>({
      groupId: 'traced',
      clusters: clustersOf(real),
      topics: [topic],
      highWater: new RedisHighWaterStore(redis),
      tracer,
    })
    const events: string[] = []
    consumer.events$.subscribe(({ kind }) => events.push(kind))
    await producer.connect()
    const caller = tracer.startSpan('caller')
    const sending = context.with(trace.setSpan(context.active(), caller), () =>
      producer.send({ topic, key: 'a', value: 'first' }),
    )
    const receipt = await sending
    const headers: string[] = []
    const handler = (delivery: Delivery<Buffer>): void => {
      headers.push(String(delivery.headers['traceparent']))
      tracer.startSpan('effect').end()
    }
    consumer.deliveries$.pipe(inKeyOrder(handler)).subscribe()
    await until('it is handled', () => spans(`process ${topic}`).length === 1)
    await until('its copy is dropped', () => consumer.status().duplicatesDropped === 1)
    await consumer.close()
    await producer.close()
    redis.disconnect()

    const [send] = spans(`send ${topic}`)
    expect(send!.parentSpanContext?.spanId).to.equal(caller.spanContext().spanId)
    const { traceId, spanId } = send!.spanContext()
    const lanes = spans(`write ${topic}`)
    expect(lanes.map(({ parentSpanContext }) => parentSpanContext?.spanId)).to.deep.equal([spanId, spanId])
    const written = lanes.map(({ attributes }) => [attributes['tandem.cluster'], attributes['messaging.kafka.offset']])
    const offsets = Object.entries(receipt.clusters).map(([cluster, copy]) => [cluster, copy!.offset])
    expect(written.sort()).to.deep.equal(offsets.sort())

    const [delivered, ...again] = spans(`process ${topic}`)
    expect(again).to.deep.equal([])
    expect(delivered!.links.map(({ context }) => context.spanId)).to.deep.equal([spanId])
    expect(delivered!.spanContext().traceId).not.to.equal(traceId)
    expect(delivered!.attributes).to.include({
      'messaging.consumer.group.name': 'traced',
      'tandem.position': send!.attributes['tandem.position'],
      'tandem.outcome': 'acknowledged',
    })
    const [effect] = spans('effect')
    expect(effect!.parentSpanContext?.spanId).to.equal(delivered!.spanContext().spanId)
    expect(headers).to.deep.equal([`00-${traceId}-${spanId}-01`])
    expect(events).not.to.include('feeds-diverged')
  })
})
