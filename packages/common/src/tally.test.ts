import { expect } from 'chai'

import { Tally } from './tally.js'

function said(tally: Tally): string[] {
  const said: string[] = []
  for (let told = tally.poll(); told !== undefined; told = tally.poll()) said.push(`${told.label} ${told.count}`)
  return said
}

describe('tally', () => {
  it('tells the first at once, and what follows once a second with its count', () => {
    const tally = new Tally()
    tally.handle('window', 1, 100)
    for (let i = 0; i < 50; i++) tally.handle('window', 2, 101 + i)
    expect(said(tally)).to.deep.equal(['window 1'])
    expect(tally.deadline()).to.equal(1_100)
    tally.handleDeadline(1_099)
    expect(said(tally)).to.deep.equal([])
    tally.handleDeadline(1_100)
    expect(said(tally)).to.deep.equal(['window 100'])
    expect(tally.deadline()).to.equal(undefined)
  })

  it('counts each label for itself', () => {
    const tally = new Tally()
    tally.handle('window', 1, 0)
    tally.handle('backlog', 1, 500)
    tally.handle('window', 1, 600)
    tally.handle('backlog', 1, 600)
    expect(said(tally)).to.deep.equal(['window 1', 'backlog 1'])
    tally.handleDeadline(1_000)
    expect(said(tally)).to.deep.equal(['window 1'])
    expect(tally.deadline()).to.equal(1_500)
  })

  it('leaves nothing untold when it is closed', () => {
    const tally = new Tally()
    tally.handle('window', 1, 0)
    tally.handle('window', 1, 1)
    tally.close(2)
    expect(said(tally)).to.deep.equal(['window 1', 'window 1'])
  })
})
