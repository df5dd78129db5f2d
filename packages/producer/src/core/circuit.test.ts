import { expect } from 'chai'

import { Circuit } from './circuit.js'
import { Trip } from './trip.js'

const LIMITS = { failuresMax: 3, silenceMsMax: 5_000, probeAfterMs: 1_000, probeAfterMsMax: 3_000 }

function opened(): Circuit {
  const circuit = new Circuit(LIMITS)
  for (let i = 0; i < 3; i++) circuit.handleFailure(100)
  circuit.poll()
  return circuit
}

describe('trip', () => {
  it('says open at the bound of failures in a row, or of silence, and not before', () => {
    const trip = new Trip(LIMITS)
    expect([trip.afterFailures(2), trip.afterFailures(3)]).to.deep.equal([undefined, 'failures'])
    expect([trip.inSilence(4_999), trip.inSilence(5_000)]).to.deep.equal([undefined, 'silence'])
  })
})

describe('circuit', () => {
  it('opens after so many transient failures in a row', () => {
    const circuit = new Circuit(LIMITS)
    circuit.handleFailure(1)
    circuit.handleFailure(2)
    circuit.handleAcknowledged(3) // ends the row
    circuit.handleFailure(4)
    circuit.handleFailure(5)
    expect(circuit.poll()).to.equal(undefined)
    circuit.handleFailure(6)
    expect(circuit.poll()).to.deep.equal({ kind: 'opened', reason: 'failures' })
    expect(circuit.poll()).to.equal(undefined)
  })

  it('opens when the oldest record in the client is too old, though nothing has failed', () => {
    const circuit = new Circuit(LIMITS)
    circuit.handleWaiting(1_000, 5_999)
    expect(circuit.closed).to.equal(true)
    circuit.handleWaiting(1_000, 6_000)
    expect(circuit.poll()).to.deep.equal({ kind: 'opened', reason: 'silence' })
  })

  it('is half-open after the back-off, not before', () => {
    const circuit = opened()
    expect(circuit.deadline(undefined)).to.equal(1_100)
    circuit.handleDeadline(1_099)
    expect(circuit.state.kind).to.equal('open')
    circuit.handleDeadline(1_100)
    expect(circuit.state.kind).to.equal('half-open')
  })

  it('doubles the back-off with each probe that fails or gives no sign, up to a bound', () => {
    const circuit = opened()
    circuit.handleDeadline(1_100)
    circuit.handleFailure(1_200)
    expect(circuit.deadline(undefined)).to.equal(3_200)
    circuit.handleDeadline(3_200)
    expect(circuit.deadline(3_200)).to.equal(8_200)
    expect(circuit.deadline(undefined)).to.equal(undefined) // no probe was handed over yet
    circuit.handleWaiting(3_200, 8_199)
    expect(circuit.state.kind).to.equal('half-open')
    circuit.handleWaiting(3_200, 8_200)
    expect(circuit.deadline(undefined)).to.equal(11_200) // 3 s, not 4
    expect(circuit.poll()).to.equal(undefined) // it was open all the while
  })

  it('gives a probe its own time, whatever was in the client before', () => {
    const circuit = opened()
    circuit.handleDeadline(9_000)
    circuit.handleWaiting(0, 9_500)
    expect(circuit.state.kind).to.equal('half-open')
  })

  it('closes with an acknowledgement, whenever it comes, and says how long it was open', () => {
    const halfOpen = opened()
    halfOpen.handleDeadline(1_100)
    for (const circuit of [opened(), halfOpen]) {
      circuit.handleAcknowledged(1_500)
      expect(circuit.poll()).to.deep.equal({ kind: 'closed', openMs: 1_400 })
      expect(circuit.deadline(undefined)).to.equal(undefined)
    }
  })

  it('begins with the first back-off again once it was closed', () => {
    const circuit = opened()
    circuit.handleDeadline(1_100)
    circuit.handleFailure(1_100)
    circuit.handleAcknowledged(1_200)
    for (let i = 0; i < 3; i++) circuit.handleFailure(2_000)
    expect(circuit.deadline(undefined)).to.equal(3_000)
  })

  it('does not count what was in the client when it opened', () => {
    const circuit = opened()
    circuit.handleFailure(200)
    circuit.handleWaiting(0, 9_000)
    expect(circuit.deadline(undefined)).to.equal(1_100)
  })

  it('probes at once when there is hope', () => {
    const circuit = opened()
    circuit.handleHope(300)
    expect(circuit.state.kind).to.equal('half-open')
    circuit.handleWaiting(0, 5_299)
    expect(circuit.state.kind).to.equal('half-open') // and the probe has its time
  })

  it('closes when nothing is left to probe with', () => {
    const circuit = opened()
    circuit.handleIdle(500)
    expect(circuit.poll()).to.deep.equal({ kind: 'closed', openMs: 400 })
  })
})
