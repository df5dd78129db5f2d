import { expect } from 'chai'

import { FailureReason } from './failure-reason.js'

const NAME = 'sasl_ssl://east.example:9092/bootstrap'
const REFUSED = 'Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)'
const UNVERIFIED =
  'SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be ' +
  'verified, verify that ssl.ca.location is correctly configured or root CA certificates are installed (install ' +
  'ca-certificates package) (after 7ms in state SSL_HANDSHAKE)'
const BARE = 'error:0A000086:SSL routines::certificate verify failed (after 8ms in state SSL_HANDSHAKE)'
const PASSWORD =
  'SASL authentication error: Authentication failed during authentication due to invalid credentials with SASL ' +
  'mechanism SCRAM-SHA-512 (after 314ms in state AUTH_REQ)'
const CLOSED = 'Disconnected: connection closed by peer: receive 0 after POLLIN (after 1ms in state APIVERSION_QUERY)'

/** As node-rdkafka answers a connect that took too long, whatever was wrong. */
const NOTHING_CAME = Object.assign(new Error('broker transport failure'), { origin: 'local', code: -195 })

function reasonOf(lines: readonly string[], properties: Record<string, string> = {}, error: unknown = NOTHING_CAME) {
  const failure = new FailureReason(properties)
  for (const line of lines) failure.handleLog({ severity: severityOf(line), fac: 'FAIL', message: logged(line) })
  return failure.of(error)
}

function logged(line: string): string {
  return `[thrd:${NAME}]: ${NAME}: ${line}`
}

function severityOf(line: string): number {
  return line.startsWith('Disconnected') ? 6 : 3
}

describe('failure reason', () => {
  it('is what the log says, with the broker and without what differs from attempt to attempt', () => {
    expect(reasonOf([REFUSED])).to.equal('east.example:9092: Connect to ipv4#10.0.0.1:9092 failed: Connection refused')
    expect(reasonOf([CLOSED])).to.equal(
      'east.example:9092: Disconnected: connection closed by peer: receive 0 after POLLIN',
    )
    const again = PASSWORD.replace('AUTH_REQ)', 'AUTH_REQ, 1 identical error(s) suppressed)')
    expect(reasonOf([again])).to.equal(reasonOf([PASSWORD]))
    expect(reasonOf([PASSWORD])).to.match(/^east\.example:9092: SASL authentication error: .* SCRAM-SHA-512$/)
    expect(reasonOf([UNVERIFIED])).to.match(/certificate verify failed: .* \(install ca-certificates package\)$/)
  })

  it('is that of the attempt that got furthest, in whatever order they were heard', () => {
    const lines = [CLOSED, REFUSED, UNVERIFIED, PASSWORD]
    for (let count = 1; count <= lines.length; count++) {
      const heard = lines.slice(0, count)
      expect(reasonOf(heard)).to.equal(reasonOf([lines[count - 1]!]))
      expect(reasonOf(heard.toReversed())).to.equal(reasonOf([lines[count - 1]!]))
    }
  })

  it('is the one with the advice, of two for the same', () => {
    expect(reasonOf([BARE, UNVERIFIED])).to.equal(reasonOf([UNVERIFIED]))
    expect(reasonOf([UNVERIFIED, BARE])).to.equal(reasonOf([UNVERIFIED]))
  })

  it('is not taken from lines that tell of no failure', () => {
    const failure = new FailureReason({})
    failure.handleLog({ severity: 5, fac: 'CONFWARN', message: '[thrd:app]: SASL properties are of no use here' })
    failure.handleLog({ severity: 7, fac: 'CONNECT', message: logged('SASL handshake') })
    expect(failure.of(NOTHING_CAME)).to.equal('broker transport failure')
  })

  it('is what the client itself says, if that is more than that nothing came', () => {
    const unread = Object.assign(new Error('failed to read certificate #0 from ssl.ca.pem'), { origin: 'kafka' })
    expect(reasonOf([REFUSED], {}, unread)).to.equal('failed to read certificate #0 from ssl.ca.pem')
    const halved = Object.assign(new Error('not in pem format?'), { origin: 'failed to read certificate #0' })
    expect(reasonOf([], {}, halved)).to.equal('failed to read certificate #0: not in pem format?')
    for (const thrown of ['no object', null, 7]) expect(reasonOf([], {}, thrown)).to.equal(String(thrown))
  })

  it('is forgotten when the client gets through', () => {
    const failure = new FailureReason({})
    failure.handleLog({ severity: 3, fac: 'FAIL', message: logged(PASSWORD) })
    failure.handleSuccess()
    expect(failure.of(NOTHING_CAME)).to.equal('broker transport failure')
  })

  it('shows no secret, wherever one stands', () => {
    const properties = { 'sasl.username': 'ledger', 'sasl.password': 'Hunter+2' }
    expect(reasonOf(['SASL error: ledger may not use Hunter+2'], properties)).to.equal(
      'east.example:9092: SASL error: ledger may not use (not shown)',
    )
    expect(reasonOf([], properties, new Error('no hunter+2 here'))).to.equal('no (not shown) here')
  })

  it('is one line of bounded length', () => {
    expect(reasonOf([`a\nb ${'x'.repeat(2_000)}`]))
      .to.match(/^east\.example:9092: a\.b x+…$/)
      .and.to.have.length(512)
  })
})
