import { expect } from 'chai'

import { Questions } from './questions.js'

/** Questions to a topic of eight partitions, the even ones led by broker 0, the odd ones by broker 1. */
class Bench {
  now = 0
  readonly questions = new Questions(() => this.now)
  /** How long the latest question may take. */
  patienceMs = 0
  readonly #underWay = new Map<number, (answered: boolean) => void>()

  constructor() {
    const partitions = Array.from({ length: 8 }, (_, partition) => ({
      partition,
      leader: partition % 2,
      replicas: 1,
      inSync: 1,
    }))
    this.questions.handleDescribed({ brokers: [], topics: [{ name: 't', partitions }] })
  }

  ask(...partitions: number[]): this {
    for (const partition of partitions) {
      this.questions.ask({ topic: 't', partition }, (patienceMs, over) => {
        this.patienceMs = patienceMs
        this.#underWay.set(partition, over)
      })
    }
    return this
  }

  get underWay(): number[] {
    return [...this.#underWay.keys()]
  }

  /** The answer to what was asked about a partition, or none in its time. */
  over(partition: number, answered: boolean, tookMs = 0): this {
    this.now += tookMs
    const over = this.#underWay.get(partition)!
    this.#underWay.delete(partition)
    over(answered)
    return this
  }
}

describe('questions', () => {
  it('are put one at a time, in order, while they are answered', () => {
    const bench = new Bench().ask(0, 1, 2)
    expect(bench.underWay).to.deep.equal([0])
    expect(bench.over(0, true).underWay).to.deep.equal([1])
    expect(bench.over(1, true).underWay).to.deep.equal([2])
    expect(bench.over(2, true).underWay).to.deep.equal([])
  })

  it('that find no answer stand in the way of those alone that found none either: of their broker first', () => {
    const bench = new Bench().ask(0, 2, 4, 6, 1, 3).over(0, false)
    expect(bench.underWay).to.deep.equal([1, 2])
    expect(bench.over(1, true).underWay).to.deep.equal([2, 3])
    expect(bench.over(3, true).ask(5, 7).underWay, 'never more than two').to.deep.equal([2, 5])
    expect(bench.over(2, false).underWay).to.deep.equal([5, 4])
  })

  it('are put among the good again when one was answered', () => {
    const bench = new Bench().ask(0, 2, 4).over(0, false).over(2, true).over(4, true)
    expect(bench.ask(2, 4).over(2, true).underWay).to.deep.equal([4])
    expect(bench.ask(0).underWay).to.deep.equal([4, 0])
  })

  it('are not held against the others of a broker once those have answered', () => {
    const bench = new Bench().ask(0, 2).over(0, false).over(2, true)
    expect(bench.ask(0, 2).underWay).to.deep.equal([0, 2])
    expect(bench.over(0, false).over(2, true).ask(0, 2).underWay).to.deep.equal([0, 2])
  })

  it('wait twice as long for a broker with each question in vain, up to a bound, and not for another', () => {
    const bench = new Bench()
    const patience: number[] = []
    for (let i = 0; i < 6; i++) patience.push(bench.ask(0).over(0, false, bench.patienceMs).patienceMs)
    expect(patience).to.deep.equal([500, 1_000, 2_000, 4_000, 4_000, 4_000])
    expect(bench.ask(2).patienceMs, 'of the same broker').to.equal(4_000)
    expect(bench.ask(1).patienceMs, 'of another one').to.equal(500)
  })

  it('wait after an answer for twice as long as that took, and no less than at first', () => {
    const bench = new Bench().ask(0).over(0, false).ask(0).over(0, false).ask(0)
    expect(bench.patienceMs).to.equal(2_000)
    expect(bench.over(0, true, 1_400).ask(0).patienceMs).to.equal(2_800)
    expect(bench.over(0, true, 1_400).ask(0).patienceMs).to.equal(2_800)
    expect(bench.over(0, true, 3_000).ask(0).patienceMs).to.equal(4_000)
    expect(bench.over(0, true, 20).ask(0).patienceMs).to.equal(500)
  })
})
