import { expect } from 'chai'

import { Questions, type Put } from './questions.js'

/** Questions about a topic of eight partitions, the even ones led by broker 0, the odd ones by broker 1. */
class Bench {
  readonly questions: Questions
  /** What came of the partitions, in order. */
  readonly told: string[] = []
  /** What is under way: partitions, and how long they may take. */
  readonly #underWay: { partitions: string; patienceMs: number; over: Parameters<Put>[2] }[] = []

  constructor() {
    this.questions = new Questions((asked, patienceMs, over) => {
      this.#underWay.push({ partitions: asked.map(({ partition }) => partition).join(' '), patienceMs, over })
    })
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
      this.questions.askEnd({ topic: 't', partition }, (offset) => this.told.push(`${partition}@${offset ?? '-'}`))
    }
    return this
  }

  get underWay(): string[] {
    return this.#underWay.map(({ partitions, patienceMs }) => `${partitions}: ${patienceMs}`)
  }

  /** The answer to what was asked about these partitions, their numbers as offsets. */
  answer(partitions: string): this {
    this.#take(partitions)(partitions.split(' ').map(Number))
    return this
  }

  inVain(partitions: string): this {
    this.#take(partitions)(undefined)
    return this
  }

  #take(partitions: string): Parameters<Put>[2] {
    const index = this.#underWay.findIndex((one) => one.partitions === partitions)
    expect(index, `${partitions} of ${this.underWay.join(', ')}`).to.be.at.least(0)
    return this.#underWay.splice(index, 1)[0]!.over
  }
}

describe('questions', () => {
  it('go one at a time while they are answered, all that wait in one', () => {
    const bench = new Bench().ask(0, 1, 2, 3)
    expect(bench.underWay).to.deep.equal(['0: 4000'])
    expect(bench.answer('0').underWay).to.deep.equal(['1 2 3: 4000'])
    expect(bench.ask(0, 0).answer('1 2 3').underWay, 'one for each partition').to.deep.equal(['0: 4000'])
    expect(bench.answer('0').answer('0').underWay).to.deep.equal([])
    expect(bench.told).to.deep.equal(['0@0', '1@1', '2@2', '3@3', '0@0', '0@0'])
  })

  it('in vain are put to each leader alone, with the others that it leads', () => {
    const bench = new Bench().ask(7).ask(0, 1, 2, 3).answer('7').inVain('0 1 2 3')
    expect(bench.told).to.deep.equal(['7@7', '0@-', '1@-', '2@-', '3@-'])
    expect(bench.ask(0, 1, 2, 5).underWay).to.deep.equal(['0: 500'])
    expect(bench.inVain('0').underWay).to.deep.equal(['1 5: 500'])
    expect(bench.answer('1 5').ask(1, 5, 3).underWay).to.deep.equal(['2: 1000', '1: 4000'])
    expect(bench.answer('1').inVain('2').underWay).to.deep.equal(['5: 4000', '3: 500'])
  })

  it('do not stand in the way of another leader that were put alone', () => {
    const bench = new Bench().ask(0).ask(2, 4, 1, 3).inVain('0')
    expect(bench.underWay).to.deep.equal(['1 3: 4000', '2 4: 500'])
  })

  it('in vain to one leader take half as many of its partitions, for twice as long, up to a bound', () => {
    const bench = new Bench().ask(1).ask(0, 2, 4, 6).answer('1').inVain('0 2 4 6')
    const asked: string[] = []
    bench.ask(6)
    for (const [partitions, next] of [
      ['6', [0, 2, 4, 6]],
      ['0 2', [0, 2]],
      ['4', [4]],
      ['6', [6]],
      ['0', [0]],
      ['2', [2]],
    ] as const) {
      bench.ask(...next)
      asked.push(...bench.underWay)
      bench.inVain(partitions)
    }
    expect(asked).to.deep.equal(['6: 500', '0 2: 1000', '4: 2000', '6: 4000', '0: 4000', '2: 4000'])
    // One answer, and the others are asked at once.
    expect(bench.answer('4').underWay).to.deep.equal(['6 0 2: 500'])
    expect(bench.answer('6 0 2').ask(0, 2).underWay).to.deep.equal(['0: 4000'])
  })

  it('tell a partition without a leader apart from the others of its broker', () => {
    const bench = new Bench().ask(1).ask(0, 2, 4, 6).answer('1').inVain('0 2 4 6')
    bench.ask(0).inVain('0').ask(2, 4, 6) // 0 has no leader
    expect(bench.underWay).to.deep.equal(['2: 1000'])
    bench.answer('2')
    expect(bench.underWay).to.deep.equal(['4 6: 500'])
    bench.answer('4 6').ask(0, 2, 4, 6)
    expect(bench.underWay).to.deep.equal(['0: 500', '2: 4000'])
    expect(bench.inVain('0').answer('2').underWay).to.deep.equal(['4 6: 4000'])
  })

  it('are put first to who was asked in vain least often', () => {
    const bench = new Bench().ask(7).ask(0, 1).answer('7').inVain('0 1')
    bench.ask(0).inVain('0').ask(0, 2, 4, 3)
    expect(bench.underWay).to.deep.equal(['0: 1000'])
    bench.inVain('0')
    expect(bench.underWay).to.deep.equal(['3: 500'])
    expect(bench.inVain('3').underWay).to.deep.equal(['2: 2000'])
    expect(bench.ask(3).inVain('2').underWay).to.deep.equal(['3: 1000'])
  })

  it('that are asked when an answer comes go together', () => {
    const bench = new Bench().ask(7)
    for (const partition of [0, 1]) {
      bench.questions.askEnd({ topic: 't', partition }, () => bench.ask(partition + 2))
    }
    expect(bench.answer('7').answer('0 1').underWay).to.deep.equal(['2 3: 4000'])
  })
})
