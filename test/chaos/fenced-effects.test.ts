import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect } from 'chai'

import type { SentMessage } from '../simulation/checkers/history.js'
import type { Effect } from './database.js'
import { FencedEffects } from './fenced-effects.js'

describe('effects judged by the fence', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'tandem-effects-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  function read(...lines: [number: number, fence: number, rest?: Partial<Effect>][]): FencedEffects {
    const path = join(folder, 'effects')
    const effects = lines.map(([number, fence, rest]): Effect => ({
      partition: 0,
      fence,
      text: String(number),
      late: false,
      ...rest,
    }))
    writeFileSync(path, effects.map((effect) => `${JSON.stringify(effect)}\n`).join(''))
    const found = new FencedEffects(path)
    found.read()
    return found
  }

  const messages = [1, 2, 3].map((number) => {
    const message = { text: String(number), producerId: 'ledger', life: 1, key: 'a', number, answer: 'acknowledged' }
    return message as unknown as SentMessage
  })

  it('are good if each message has one, in order', () => {
    const effects = read([1, 5], [2, 5], [3, 6])
    expect([...effects.lost(messages), ...effects.twice(), ...effects.disordered(messages)]).to.deep.equal([])
    expect([effects.refused, effects.again]).to.deep.equal([0, 0])
  })

  it('are refused under a lower fence than the partition has seen, and then missed if nobody else has them', () => {
    const effects = read([1, 5], [2, 6], [3, 5], [3, 5, { partition: 1 }])
    expect(effects.refused).to.equal(1)
    expect(effects.lost(messages)).to.deep.equal([])
    expect(read([1, 5], [2, 6], [3, 5]).lost(messages)).to.deep.equal(['3 was acknowledged and had no effect'])
  })

  it('may come again under another lease, but not under one', () => {
    const effects = read([1, 5], [2, 5], [2, 6], [3, 6])
    expect([effects.again, effects.twice()]).to.deep.equal([1, []])
    expect(effects.disordered(messages)).to.deep.equal([])
    expect(read([1, 5], [2, 5], [2, 5]).twice()).to.have.length(1)
  })

  it('stand in the order of their key, unless they are late', () => {
    expect(read([1, 5], [3, 5], [2, 6]).disordered(messages)).to.deep.equal(['2 had its effect after that of 3'])
    expect(read([1, 5], [3, 5], [2, 6, { late: true }]).disordered(messages)).to.deep.equal([])
  })
})
