import { createRequire } from 'node:module'
import { expect } from 'chai'

import { produceFailure, reportFailure } from './refusals.js'

const { CODES, librdkafkaVersion } = createRequire(import.meta.url)('node-rdkafka') as {
  CODES: { ERRORS: Record<string, number> }
  librdkafkaVersion: string
}
const native = createRequire(import.meta.url)('node-rdkafka/librdkafka.js') as { err2str(code: number): string }

/** The text of an error as a delivery report brings it: node-rdkafka cuts the origin off and lowers the case. */
function reported(name: string): string {
  return native.err2str(CODES.ERRORS[name]!).split(': ')[1]!.toLowerCase()
}

describe('refusals', () => {
  it('are pinned to the librdkafka that is installed', () => {
    expect(librdkafkaVersion).to.equal('2.12.0')
  })

  it('know the texts that mean never, and whether they speak of a batch', () => {
    const kinds = Object.fromEntries(
      [
        'ERR_MSG_SIZE_TOO_LARGE',
        'ERR_RECORD_LIST_TOO_LARGE',
        'ERR_INVALID_TIMESTAMP',
        'ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT',
        'ERR_TOPIC_AUTHORIZATION_FAILED',
        'ERR_TOPIC_EXCEPTION',
        'ERR__FATAL',
      ].map((name) => [name, reportFailure(reported(name)).kind]),
    )
    expect(kinds).to.deep.equal({
      ERR_MSG_SIZE_TOO_LARGE: 'batch-refused',
      ERR_RECORD_LIST_TOO_LARGE: 'batch-refused',
      ERR_INVALID_TIMESTAMP: 'batch-refused',
      ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT: 'batch-refused',
      ERR_TOPIC_AUTHORIZATION_FAILED: 'denied',
      ERR_TOPIC_EXCEPTION: 'refused',
      ERR__FATAL: 'fatal',
    })
    expect(reportFailure(native.err2str(87))).to.include({ kind: 'batch-refused' }) // INVALID_RECORD
  })

  it('take everything else for transient, what is not known too', () => {
    for (const name of ['ERR__MSG_TIMED_OUT', 'ERR__TRANSPORT', 'ERR_NOT_ENOUGH_REPLICAS', 'ERR_INVALID_MSG']) {
      expect(reportFailure(reported(name)).kind, name).to.equal('transient')
    }
    for (const text of ['', 'something new', 'constructor', '__proto__']) {
      expect(reportFailure(text)).to.deep.equal({ kind: 'transient', reason: text })
    }
    // "An invalid record in the same batch caused the failure of this message too": this one is good.
    expect(reportFailure(native.err2str(-138)).kind).to.equal('transient')
  })

  it('know what produce() throws by its code', () => {
    const { ERRORS } = CODES
    expect(produceFailure(ERRORS['ERR__QUEUE_FULL'], 'Local: Queue full')).to.deep.equal({
      kind: 'queue-full',
      reason: 'queue full',
    })
    expect(produceFailure(ERRORS['ERR__FATAL'], '').kind).to.equal('fatal')
    expect(produceFailure(ERRORS['ERR_MSG_SIZE_TOO_LARGE'], '').kind).to.equal('refused')
    expect(produceFailure(ERRORS['ERR_TOPIC_AUTHORIZATION_FAILED'], '').kind).to.equal('refused')
    expect(produceFailure(ERRORS['ERR_TOPIC_EXCEPTION'], '').kind).to.equal('refused')
    expect(produceFailure(ERRORS['ERR__UNKNOWN_PARTITION'], '').kind).to.equal('transient')
    expect(produceFailure(undefined, 'Producer not connected').kind).to.equal('transient')
  })
})
