import { context, ROOT_CONTEXT, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { expect } from 'chai'

import type { Clock } from './clock.js'
import { Spans } from './spans.js'

class Tasks implements Clock {
  at = 5
  readonly #tasks: (() => void)[] = []

  now(): number {
    return this.at
  }

  wall(): number {
    return 1_700_000_000_000 + this.at
  }

  schedule(_atMs: number, task: () => void): () => void {
    this.#tasks.push(task)
    return () => undefined
  }

  run(): void {
    for (const task of this.#tasks.splice(0)) task()
  }
}

function bench(): { clock: Tasks; exporter: InMemorySpanExporter; spans: Spans } {
  const clock = new Tasks()
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  return { clock, exporter, spans: new Spans({ clock, tracer: provider.getTracer('test') }) }
}

describe('spans', () => {
  it('is off without a tracer, and on with one, or with a global tracer provider', () => {
    const clock = new Tasks()
    expect(new Spans({ clock }).on).to.equal(false)
    expect(new Spans({ clock }).start('a', {}, ROOT_CONTEXT)).to.equal(undefined)
    expect(bench().spans.on).to.equal(true)
    trace.setGlobalTracerProvider(new BasicTracerProvider())
    try {
      expect(new Spans({ clock }).on).to.equal(true)
    } finally {
      trace.disable()
    }
    expect(new Spans({ clock }).on).to.equal(false)
  })

  it('begins a span at once and ends it by a timer, as of the moment of its end', () => {
    const { clock, exporter, spans } = bench()
    const span = spans.start('a', {}, context.active())!
    expect(trace.getSpan(span.context)?.isRecording()).to.equal(true)
    clock.at += 250
    span.end({ attributes: { a: 1 }, error: { type: 'late', message: 'too late' } })
    span.end({ attributes: { a: 2 } })
    clock.at += 1_000
    expect(exporter.getFinishedSpans()).to.deep.equal([])
    clock.run()
    const [told, ...others] = exporter.getFinishedSpans()
    expect(others).to.deep.equal([])
    expect(told).to.deep.include({ name: 'a', attributes: { a: 1, 'error.type': 'late' } })
    expect(told!.status).to.deep.equal({ code: SpanStatusCode.ERROR, message: 'too late' })
    expect([told!.startTime, told!.endTime]).to.deep.equal([
      [1_700_000_000, 5_000_000],
      [1_700_000_000, 255_000_000],
    ])
  })

  it('tells what waits when it is closed, and nothing after', () => {
    const { clock, exporter, spans } = bench()
    const [before, after] = ['before', 'after'].map((name) => spans.start(name, {}, ROOT_CONTEXT)!)
    before!.end()
    spans.close()
    after!.end()
    clock.run()
    expect(exporter.getFinishedSpans().map(({ name }) => name)).to.deep.equal(['before'])
    expect(spans.start('too late', {}, ROOT_CONTEXT)).to.equal(undefined)
  })

  it('is not disturbed by a tracer that throws', () => {
    const fail = (): never => {
      throw new Error('no')
    }
    const clock = new Tasks()
    const broken = new Spans({ clock, tracer: { startSpan: fail, startActiveSpan: fail } })
    expect(broken.start('a', {}, ROOT_CONTEXT)).to.equal(undefined)
    broken.tell('b', { startTime: 1 }, ROOT_CONTEXT, { endTime: 2 })
    const span = { spanContext: () => ({}), isRecording: fail, setAttributes: fail, addLink: fail, end: fail }
    const spans = new Spans({ clock, tracer: { startSpan: () => span } as unknown as Tracer })
    const open = spans.start('c', {}, ROOT_CONTEXT)!
    expect(open.recording).to.equal(false)
    open.set({ a: 1 })
    open.link(trace.setSpanContext(ROOT_CONTEXT, { traceId: '1', spanId: '2', traceFlags: 1 }))
    open.end()
    clock.run()
  })
})
