import { expect } from 'chai'

import { Bundle } from './bundle.js'
import { Timeline } from './timeline.js'

describe('bundle', () => {
  it('has all of one moment happen in one event, in order, and what comes later in another', async () => {
    const timeline = new Timeline()
    const happened: string[] = []
    const bundle = new Bundle(timeline, (task) => void timeline.after(5, task))
    const add = (name: string): void => bundle.add(() => happened.push(`${name} at ${timeline.now}`))
    add('a')
    add('b')
    timeline.after(3, () => add('c'))
    await timeline.run(100)
    expect(happened).to.deep.equal(['a at 5', 'b at 5', 'c at 8'])
    expect(timeline.events).to.equal(3)
  })

  it('loses nothing of the moment in which it happens', async () => {
    const timeline = new Timeline()
    const happened: string[] = []
    const bundle = new Bundle(timeline, (task) => void timeline.after(0, task))
    bundle.add(() => bundle.add(() => happened.push('again')))
    await timeline.run(1)
    expect(happened).to.deep.equal(['again'])
  })
})
