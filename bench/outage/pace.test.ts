import { setTimeout as sleep } from 'node:timers/promises'

import { expect } from 'chai'

import { nowMs } from './clock.js'
import { atFullSpeed, atRate } from './pace.js'

describe('bench of outages: pace', () => {
  it('puts off no message because others are slow, and remembers when a late one was due', async () => {
    const over = new AbortController()
    const dues: number[] = []
    const lateMs: number[] = []
    const playing = atRate(
      1_000,
      async (dueMs) => {
        dues.push(dueMs)
        lateMs.push(nowMs() - dueMs)
        if (dues.length === 1) busyFor(30)
        await new Promise(() => undefined)
      },
      over.signal,
    )
    await sleep(60)
    over.abort()
    await playing
    expect(dues.length).to.be.at.least(40)
    for (const [index, dueMs] of dues.entries()) expect(dueMs - dues[0]!).to.be.closeTo(index, 1e-3)
    expect(Math.min(...lateMs)).to.be.at.least(0)
    expect(Math.max(...lateMs)).to.be.at.least(25)
  })

  it('keeps as many under way as it may', async () => {
    const over = new AbortController()
    let [underWay, most, calls] = [0, 0, 0]
    const playing = atFullSpeed(
      3,
      async () => {
        calls++
        most = Math.max(most, ++underWay)
        await sleep(1)
        underWay--
      },
      over.signal,
    )
    await sleep(30)
    over.abort()
    await playing
    expect([most, underWay]).to.deep.equal([3, 0])
    expect(calls).to.be.greaterThan(6)
  })
})

function busyFor(ms: number): void {
  const end = nowMs() + ms
  while (nowMs() < end);
}
