import { expect } from 'chai'

import { Display } from './display.js'
import type { Snapshot } from './snapshot.js'

describe('display', () => {
  const at = (elapsedMs: number): Snapshot => ({
    elapsedMs,
    messages: 10,
    sent: 1,
    rate: 1,
    acknowledged: 1,
    delivered: 1,
    late: 0,
    duplicatesDropped: 0,
    phase: 'both up',
    clusters: [],
  })
  const record = (live: boolean) => {
    const written: string[] = []
    return { written, display: new Display({ write: (text) => written.push(text) }, { live }) }
  }

  it('prints a line every few seconds where nobody watches', () => {
    const { written, display } = record(false)
    for (let ms = 0; ms < 12_000; ms += 100) display.show(at(ms))
    expect(written).to.have.length(3)
    expect(written.every((text) => text.endsWith('\n') && !text.includes('\u001b'))).to.equal(true)
  })

  it('draws the table over itself on a terminal, and keeps what is said', () => {
    const { written, display } = record(true)
    display.show(at(0))
    display.show(at(100))
    display.show(at(200))
    const height = written[0]!.split('\n').length - 1
    expect(written).to.have.length(3)
    expect(written[1]).to.equal(`\u001b[${height}F\u001b[J`)
    display.say('east is hung')
    expect(written.slice(3)).to.deep.equal([`\u001b[${height}F\u001b[J`, 'east is hung\n'])
    display.show(at(500))
    expect(written.slice(5)).to.have.length(1)
  })
})
