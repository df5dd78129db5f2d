import { expect } from 'chai'

import { KeyOrder, type KeyOrderOptions, type Turn, type Verdict } from './key-order.js'

/** A KeyOrder of deliveries like `a1` (message 1 of key a) or `1` (without a key), whose handler is the test. */
class Bench {
  readonly order: KeyOrder<string>
  /** What was wanted since the last look, in order. */
  #said: string[] = []
  readonly #atWork = new Map<string, Turn<string>>()

  constructor(options: Partial<KeyOrderOptions> = {}) {
    const defaults = { concurrency: 10, attempts: 3, delayMs: 100, delayMsMax: 1_000, deadLetter: true }
    this.order = new KeyOrder({ ...defaults, ...options })
  }

  deliver(...names: readonly string[]): this {
    for (const name of names) this.order.handleDelivered(name, /^[a-z]+/.exec(name)?.[0])
    return this
  }

  handled(name: string): this {
    this.order.handleHandled(this.turn(name))
    return this
  }

  failed(name: string, verdict?: Verdict, now = 0): this {
    this.order.handleFailed(this.turn(name), new Error(`of ${name}`), verdict, now)
    return this
  }

  turn(name: string): Turn<string> {
    this.#drain()
    const turn = this.#atWork.get(name)
    if (turn === undefined) throw new Error(`${name} is not at work`)
    return turn
  }

  /** At `now`, if something is due then. */
  at(now: number): this {
    this.order.handleDeadline(now)
    return this
  }

  said(): string {
    this.#drain()
    const said = this.#said.join(', ')
    this.#said = []
    return said
  }

  #drain(): void {
    for (let command = this.order.poll(); command !== undefined; command = this.order.poll()) {
      const { kind, turn } = command
      this.#said.push(`${kind} ${turn.delivery}`)
      if (kind === 'handle' || kind === 'bury') this.#atWork.set(turn.delivery, turn)
    }
  }
}

describe('key order', () => {
  it('handles one key one after the other, in the order of arrival', () => {
    const bench = new Bench().deliver('a1', 'a3', 'a2')
    expect(bench.said()).to.equal('handle a1')
    expect(bench.handled('a1').said()).to.equal('finish a1, handle a3')
    expect(bench.handled('a3').said()).to.equal('finish a3, handle a2')
    expect(bench.handled('a2').said()).to.equal('finish a2')
    expect(bench.order.size).to.equal(0)
  })

  it('handles different keys at the same time, up to the concurrency, first come first served', () => {
    const bench = new Bench({ concurrency: 2 }).deliver('a1', 'a2', 'b1', 'c1')
    expect(bench.said()).to.equal('handle a1, handle b1')
    expect(bench.handled('a1').said()).to.equal('finish a1, handle c1')
    expect(bench.handled('c1').said()).to.equal('finish c1, handle a2')
  })

  it('keeps no order among what has no key', () => {
    const bench = new Bench({ concurrency: 2 }).deliver('1', '2', '3')
    expect(bench.said()).to.equal('handle 1, handle 2')
    expect(bench.failed('1').handled('2').said()).to.equal('handle 3, finish 2')
  })

  it('tries again after pauses that double up to the bound, and lets nothing of the key pass meanwhile', () => {
    const bench = new Bench({ attempts: 100 }).deliver('a1', 'a2')
    let now = 0
    const pauses: number[] = []
    for (let attempt = 1; attempt <= 6; attempt++) {
      expect(bench.said()).to.equal('handle a1')
      expect(bench.failed('a1', undefined, now).said()).to.equal('')
      const until = bench.order.deadline()!
      expect(bench.at(until - 1).said()).to.equal('')
      pauses.push(until - now)
      bench.at((now = until))
    }
    expect(pauses).to.deep.equal([100, 200, 400, 800, 1_000, 1_000])
    expect(bench.said()).to.equal('handle a1')
    expect(bench.handled('a1').said()).to.equal('finish a1, handle a2')
  })

  it('gives the place of what pauses or is being buried to other keys', () => {
    const bench = new Bench({ concurrency: 1 }).deliver('a1', 'b1', 'c1')
    expect(bench.said()).to.equal('handle a1')
    expect(bench.failed('a1', 'transient').said()).to.equal('handle b1')
    expect(bench.failed('b1', 'permanent').said()).to.equal('bury b1, handle c1')
    bench.at(100)
    expect(bench.said()).to.equal('')
    expect(bench.handled('c1').said()).to.equal('finish c1, handle a1')
  })

  it('never buries what failed transiently, however often', () => {
    const bench = new Bench({ attempts: 1 }).deliver('a1')
    let now = 0
    for (let attempt = 1; attempt <= 1_000; attempt++) {
      bench.failed('a1', 'transient', now)
      bench.at((now = bench.order.deadline()!))
    }
    expect(new Set(bench.said().split(', '))).to.deep.equal(new Set(['handle a1']))
  })

  it('buries a permanent failure at once, finishes it when it is published, and only then goes on', () => {
    const bench = new Bench().deliver('a1', 'a2')
    expect(bench.failed('a1', 'permanent').said()).to.equal('handle a1, bury a1')
    expect(bench.turn('a1').error).to.have.property('message', 'of a1')
    bench.order.handleBuried(bench.turn('a1'))
    expect(bench.said()).to.equal('finish a1, handle a2')
  })

  it('buries what nobody classified after as many attempts; transient failures between do not count', () => {
    const bench = new Bench({ attempts: 2 }).deliver('a1')
    bench.failed('a1', undefined, 0).at(100).failed('a1', 'transient', 100).at(300)
    expect(bench.said()).to.equal('handle a1, handle a1, handle a1')
    expect(bench.failed('a1', undefined, 300).said()).to.equal('bury a1')
    expect(bench.turn('a1').attempts).to.equal(3)
  })

  it('tries again to publish a dead letter, and does not handle the message meanwhile', () => {
    const bench = new Bench().deliver('a1', 'a2').failed('a1', 'permanent')
    bench.said()
    bench.order.handleBurialFailed(bench.turn('a1'), 0)
    expect(bench.at(99).said()).to.equal('')
    expect(bench.at(100).said()).to.equal('bury a1')
    bench.order.handleBurialFailed(bench.turn('a1'), 100)
    expect(bench.at(299).said()).to.equal('')
    expect(bench.at(300).said()).to.equal('bury a1')
    bench.order.handleBuried(bench.turn('a1'))
    expect(bench.said()).to.equal('finish a1, handle a2')
  })

  for (const verdict of ['permanent', undefined] as const) {
    it(`lets the key stand without dead letters, says so once, and goes on trying (${verdict ?? 'unclassified'})`, () => {
      const bench = new Bench({ attempts: 1, deadLetter: false }).deliver('a1', 'a2')
      expect(bench.failed('a1', verdict, 0).said()).to.equal('handle a1, stand a1')
      expect(bench.at(100).said()).to.equal('handle a1')
      expect(bench.failed('a1', verdict, 100).said()).to.equal('')
      expect(bench.at(300).handled('a1').said()).to.equal('handle a1, finish a1, handle a2')
    })
  }

  it('begins nothing new when it is closed, gives back what waits, and finishes what is at work', () => {
    const bench = new Bench({ concurrency: 3 }).deliver('a1', 'a2', 'b1', 'c1', 'd1', 'd2')
    bench.failed('b1', 'transient').failed('c1', 'permanent')
    expect(bench.said()).to.equal('handle a1, handle b1, handle c1, handle d1, bury c1')
    bench.order.handleClosed()
    bench.order.handleClosed()
    expect(bench.said()).to.equal('return a2, return b1, return d2')
    expect(bench.order.deadline()).to.equal(undefined)
    expect(bench.deliver('e1').said()).to.equal('return e1')
    expect(bench.order.size).to.equal(3)
    expect(bench.handled('a1').failed('d1', 'permanent').said()).to.equal('finish a1, return d1')
    bench.order.handleBurialFailed(bench.turn('c1'), 0)
    expect(bench.said()).to.equal('return c1')
    expect(bench.order.size).to.equal(0)
  })

  it('gives back what was lost, wherever it stands, but what is at work only when that ends', () => {
    const bench = new Bench().deliver('a1', 'a2', 'b1', 'b2', 'c1').failed('b1', 'transient')
    bench.said()
    bench.order.handleLosses((name) => ['a1', 'a2', 'b1'].includes(name))
    expect(bench.said()).to.equal('return a2, return b1, handle b2')
    expect(bench.deliver('a1', 'a2').said()).to.equal('')
    bench.order.handleLost(bench.turn('a1'))
    expect(bench.said()).to.equal('return a1, handle a1')
    expect(bench.at(100).handled('b2').handled('c1').said()).to.equal('finish b2, finish c1')
    expect(bench.handled('a1').said()).to.equal('finish a1, handle a2')
  })

  it('hears of every turn once', () => {
    const bench = new Bench().deliver('a1', 'a2').handled('a1')
    expect(() => bench.handled('a1'))
      .to.throw('not handling')
      .with.property('code', 'TANDEM_INVARIANT')
  })

  it('holds to all of this in every small case', () => {
    for (const run of allRuns(['a1', 'a2', 'b1', '1'], 6)) run()
  })
})

/** Every sequence of what may happen to these deliveries: handled, failed in each way, buried or not, time. */
function* allRuns(names: readonly string[], steps: number): Generator<() => void> {
  for (let code = 0; code < 4 ** steps; code++) {
    yield () => {
      const choices = Array.from({ length: steps }, (_, step) => Math.floor(code / 4 ** step) % 4)
      play(names, choices)
    }
  }
}

function play(names: readonly string[], choices: readonly number[]): void {
  const order = new KeyOrder<string>({ concurrency: 2, attempts: 2, delayMs: 1, delayMsMax: 2, deadLetter: true })
  const working = new Map<string, { readonly kind: string; readonly turn: Turn<string> }>()
  const finished: string[] = []
  const told = (): string => `choices ${choices.join(' ')}`
  let now = 0
  const drain = (): void => {
    for (let command = order.poll(); command !== undefined; command = order.poll()) {
      const { kind, turn } = command
      if (kind === 'finish') {
        finished.push(turn.delivery)
        continue
      }
      working.set(turn.delivery, { kind, turn })
      const key = /^[a-z]/.exec(turn.delivery)?.[0]
      const others = [...working.keys()].filter((name) => name !== turn.delivery && name.startsWith(key ?? ' '))
      expect(others, `one of a key at a time: ${told()}`).to.deep.equal([])
      expect([...working.values()].filter((one) => one.kind === 'handle').length, told()).to.be.at.most(2)
    }
  }
  for (const name of names) order.handleDelivered(name, /^[a-z]/.exec(name)?.[0])
  drain()
  const end = (choice: number): void => {
    const first = [...working.values()][choice === 3 ? working.size - 1 : 0]
    if (first === undefined) {
      now += 2
      order.handleDeadline(now)
      return drain()
    }
    working.delete(first.turn.delivery)
    if (first.kind === 'bury') {
      if (choice === 1) order.handleBurialFailed(first.turn, now)
      else order.handleBuried(first.turn)
    } else if (choice === 0 || choice === 3) order.handleHandled(first.turn)
    else order.handleFailed(first.turn, new Error('no'), choice === 1 ? 'transient' : undefined, now)
    drain()
  }
  for (const choice of choices) end(choice)
  for (let rest = 0; order.size > 0 && rest < 100; rest++) end(0)
  expect(finished.length, `all come to an end: ${told()}`).to.equal(names.length)
  expect(finished.indexOf('a1'), told()).to.be.below(finished.indexOf('a2'))
}
