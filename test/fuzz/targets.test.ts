import { expect } from 'chai'

import { runTargets } from './run-targets.js'
import { TARGETS } from './targets.js'

/** The same inputs on every run; `npm run fuzz` draws others, and many more. */
const QUICK = { runs: 20_000, seed: 1 }

describe('hostile input', function () {
  this.timeout(60_000)

  const weights = TARGETS.reduce((sum, { weight }) => sum + weight, 0)
  for (const one of TARGETS) {
    it(one.name, async () => {
      const [run] = await runTargets([one], { ...QUICK, runs: Math.ceil((QUICK.runs * one.weight) / weights) })
      expect(run!.failure).to.equal(undefined)
      expect(run!.runs).to.be.above(0)
    })
  }
})
