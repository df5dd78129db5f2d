import { expect } from 'chai'

import { drawPlan } from './draw-plan.js'
import type { Plan } from './plan.js'
import { play } from './play.js'
import { shrink } from './shrink.js'
import { story } from './story.js'

describe('shrink', () => {
  const kills = ({ steps }: Plan): number => steps.filter(({ kind }) => kind === 'consumer-kill').length
  const seed = Array.from({ length: 100 }, (_, index) => index).find((one) => kills(drawPlan(one)) >= 4)!

  it('leaves what is needed and nothing else', async () => {
    const plan = drawPlan(seed)
    const small = await shrink(plan, (one) => Promise.resolve(kills(one) >= 2), 1_000)
    expect(small.steps.map(({ kind }) => kind)).to.deep.equal(['consumer-kill', 'consumer-kill'])
    expect(small.setting).to.include({ brokers: 1, instances: 1, hollowPercent: 0, handleMs: 0, acknowledge: 'one' })
    expect(small.setting.minutes).to.be.at.most(plan.setting.minutes)
  })

  it('ends in as many runs as it may have', async () => {
    let runs = 0
    // Whatever is left out, it shows: without a bound this would go on to the last step.
    await shrink(drawPlan(seed), ({ steps }) => Promise.resolve(++runs > 0 && steps.length > 0), 5)
    expect(runs).to.equal(5)
  })

  it('gives what can be told as a story, with the logs in the notation of the scenarios', async () => {
    const { setting, ...drawn } = drawPlan(seed)
    const plan: Plan = {
      ...drawn,
      setting: { ...setting, instances: 1 },
      steps: [
        { kind: 'send', atMs: 1_000, producer: 0, key: 0, count: 1 },
        { kind: 'consumer-kill', atMs: 2_000, group: 'audit', forMs: 500 },
      ],
    }
    const told = story(plan, await play(plan))
    expect(told).to.match(/2\.000 s {2}\* consumer-kill: group audit, forMs 500/)
    expect(told).to.match(/audit-1 is given ledger\/1\/1/)
    expect(told).to.match(/^east\/\d: .*ledger:1:1/m)
  })
})
