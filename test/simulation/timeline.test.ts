import { expect } from 'chai'

import { Timeline } from './timeline.js'

describe('timeline', () => {
  it('lets promises run to their end before the next event', async () => {
    const timeline = new Timeline()
    const seen: string[] = []
    const chain = async (): Promise<void> => {
      for (let depth = 0; depth < 100; depth++) await Promise.resolve()
      seen.push('chain')
    }
    timeline.schedule(1, () => void chain())
    timeline.schedule(1, () => seen.push('next'))
    await timeline.run(10)
    expect(seen).to.deep.equal(['chain', 'next'])
    expect(timeline.now).to.equal(10)
  })

  it('stops when the condition holds, at the time of that event', async () => {
    const timeline = new Timeline()
    let count = 0
    for (let at = 1; at <= 5; at++) timeline.schedule(at * 10, () => count++)
    expect(await timeline.run(100, () => count === 3)).to.equal(true)
    expect(timeline.now).to.equal(30)
    expect(await timeline.run(15, () => count === 5)).to.equal(false)
    expect(timeline.now).to.equal(45)
  })

  it('does what is overdue at once, and not what was taken back', async () => {
    const timeline = new Timeline()
    await timeline.run(10)
    const times: number[] = []
    timeline.schedule(3, () => times.push(timeline.now))
    timeline.schedule(12, () => times.push(-1))()
    await timeline.run(10)
    expect(times).to.deep.equal([10])
  })

  it('says so when a task repeats itself within one moment', async () => {
    const timeline = new Timeline()
    const again = (): void => void timeline.after(0, again)
    again()
    let failure: unknown
    await timeline.run(1).catch((error: unknown) => (failure = error))
    expect(String(failure)).to.contain('stands still')
  })
})
