import { expect } from 'chai'

import { Prng } from './prng.js'

describe('prng', () => {
  it('draws the same numbers from the same seed, and others from another', () => {
    const draw = (seed: number): number[] =>
      Array.from(
        { length: 100 },
        (
          (prng) => () =>
            prng.next()
        )(new Prng(seed)),
      )
    expect(draw(7)).to.deep.equal(draw(7))
    expect(draw(7)).to.not.deep.equal(draw(8))
  })

  it('draws what it drew when its numbers were first recorded', () => {
    const prng = new Prng(1)
    expect([prng.next(), prng.next(), prng.next()]).to.deep.equal(RECORDED)
  })

  it('stays within its bounds and reaches both of them', () => {
    const prng = new Prng(3)
    const seen = new Set<number>()
    for (let i = 0; i < 1_000; i++) seen.add(prng.between(5, 8))
    expect([...seen].sort()).to.deep.equal([5, 6, 7, 8])
  })

  it('leaves the draws of one part alone when another part draws more', () => {
    const draws = (extra: number): number => {
      const root = new Prng(9)
      const one = root.fork()
      const two = root.fork()
      for (let i = 0; i < extra; i++) one.next()
      return two.next()
    }
    expect(draws(0)).to.equal(draws(50))
  })
})

/** Seeds in old notes must stay worth something. */
const RECORDED = [2_420_951_833, 2_513_034_076, 3_847_892_949]
