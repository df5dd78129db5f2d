import { expect } from 'chai'

import { Questions } from './questions.js'

/** Questions to a topic of eight partitions, the even ones led by broker 0, the odd ones by broker 1. */
class Bench {
  readonly questions = new Questions()
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
      this.questions.ask({ topic: 't', partition }, (over) => this.#underWay.set(partition, over))
    }
    return this
  }

  get underWay(): number[] {
    return [...this.#underWay.keys()]
  }

  /** The answer to what was asked about a partition, or none in its time. */
  over(partition: number, answered: boolean): this {
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
})
