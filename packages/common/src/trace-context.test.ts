import { defaultTextMapGetter, propagation, ROOT_CONTEXT, trace, type TextMapPropagator } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { expect } from 'chai'

import { hasTraceContext, traceContext, traceHeaders } from './trace-context.js'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN_ID = '00f067aa0ba902b7'
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`

function record(headers: Record<string, string>): Record<string, Buffer>[] {
  return Object.entries(headers).map(([name, value]) => ({ [name]: Buffer.from(value) }))
}

describe('trace context', () => {
  it('goes into headers and out of them as it was, by the W3C format', () => {
    const headers = { traceparent: TRACEPARENT, tracestate: 'a=1,b=2' }
    const context = traceContext(record(headers))
    const span = trace.getSpanContext(context)
    expect(span).to.include({ traceId: TRACE_ID, spanId: SPAN_ID, traceFlags: 1, isRemote: true })
    expect(traceHeaders(context)).to.deep.equal(headers)
    expect(hasTraceContext(record(headers))).to.equal(true)
    expect(hasTraceContext(record({ other: '1' }))).to.equal(false)
  })

  it('is written and read as the W3C propagator does', () => {
    const propagator = new W3CTraceContextPropagator()
    const all: Record<string, string>[] = [
      { traceparent: TRACEPARENT.replace(/01$/, '00') },
      { traceparent: TRACEPARENT, tracestate: 'a=1' },
    ]
    for (const headers of all) {
      const context = propagator.extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
      expect(traceHeaders(context)).to.deep.equal(headers)
      const own = trace.getSpanContext(traceContext(record(headers)))
      const theirs = trace.getSpanContext(context)
      expect([own?.traceId, own?.spanId, own?.traceFlags]).to.deep.equal([
        theirs?.traceId,
        theirs?.spanId,
        theirs?.traceFlags,
      ])
    }
  })

  it('is not there in what is none', () => {
    for (const traceparent of [
      '',
      'nonsense',
      TRACEPARENT.toUpperCase(),
      `${TRACEPARENT}-more`,
      TRACEPARENT.replace(/^00/, 'ff'),
      TRACEPARENT.replace(TRACE_ID, '0'.repeat(32)),
      TRACEPARENT.replace(SPAN_ID, '0'.repeat(16)),
    ]) {
      expect(trace.getSpanContext(traceContext(record({ traceparent }))), traceparent).to.equal(undefined)
    }
    expect(trace.getSpanContext(traceContext([]))).to.equal(undefined)
    expect(traceHeaders(ROOT_CONTEXT)).to.deep.equal({})
    const later = traceContext(record({ traceparent: `${TRACEPARENT.replace(/^00/, '01')}-more` }))
    expect(trace.getSpanContext(later)?.spanId).to.equal(SPAN_ID)
  })

  it('goes by the registered propagator too, and without it if that throws', () => {
    const context = traceContext(record({ traceparent: TRACEPARENT }))
    const fail = (): never => {
      throw new Error('no')
    }
    const own: TextMapPropagator = {
      inject: (_, carrier, setter) => setter.set(carrier, 'b3', SPAN_ID),
      extract: (context, carrier, getter) => context.setValue(KEY, getter.get(carrier, 'b3')),
      fields: () => ['b3'],
    }
    try {
      propagation.setGlobalPropagator(own)
      expect(traceHeaders(context)).to.deep.equal({ b3: SPAN_ID, traceparent: TRACEPARENT })
      const read = traceContext(record({ b3: 'x', traceparent: TRACEPARENT }))
      expect(read.getValue(KEY)).to.equal('x')
      expect(trace.getSpanContext(read)?.spanId).to.equal(SPAN_ID)
      propagation.disable()
      propagation.setGlobalPropagator({ inject: fail, extract: fail, fields: () => [] })
      expect(traceHeaders(context)).to.deep.equal({ traceparent: TRACEPARENT })
      expect(trace.getSpanContext(traceContext(record({ traceparent: TRACEPARENT })))?.spanId).to.equal(SPAN_ID)
    } finally {
      propagation.disable()
    }
  })
})

const KEY = Symbol('b3')
