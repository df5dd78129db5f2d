import { FRAME_MESSAGES_MAX } from '@tandem/common/internal'
import { expect } from 'chai'

import { Framer, type Framed } from './framer.js'
import { Sequence } from './sequencer.js'

const IDENTITY = { producerId: 'p', epoch: 1, incarnation: 1 }
const FRAMING = { lingerMs: 5, bytesMax: 100 }

interface Message extends Framed {
  readonly name: string
}

class Bench {
  readonly framer = new Framer<Message>()
  readonly sequences = [0, 1].map((keyRange) => new Sequence({ topic: 't', keyRange, partition: keyRange }, IDENTITY))

  send(names: string, now: number, { framedBytes = 10, sequence = 0, framing = FRAMING } = {}): this {
    for (const name of names.split(' ')) {
      this.framer.handleMessage({ name, framedBytes, sequence: this.sequences[sequence]! }, framing, now)
    }
    return this
  }

  answered(sequence = 0): this {
    this.framer.handleAnswered(this.sequences[sequence]!)
    return this
  }

  /** `a b | c`: frames that are to be sealed. */
  get sealed(): string {
    const frames: string[] = []
    for (let frame = this.framer.poll(); frame !== undefined; frame = this.framer.poll()) {
      frames.push(frame.map(({ name }) => name).join(' '))
    }
    return frames.join(' | ')
  }
}

describe('framer', () => {
  it('does not delay a message while nothing of its sequence is under way', () => {
    const bench = new Bench().send('a', 0)
    expect(bench.sealed).to.equal('a')
    expect(bench.answered().send('b', 50).sealed).to.equal('b')
  })

  it('gathers what comes while something is under way, until that is answered', () => {
    const bench = new Bench().send('a b c', 0)
    expect(bench.sealed).to.equal('a')
    expect(bench.framer.waiting).to.equal(2)
    expect(bench.framer.bytes).to.equal(20)
    expect(bench.answered().sealed).to.equal('b c')
    expect(bench.framer.waiting).to.equal(0)
    expect(bench.framer.bytes).to.equal(0)
  })

  it('waits for the last one that is under way', () => {
    const bench = new Bench().send('a b', 0)
    bench.framer.handleDeadline(5)
    expect(bench.sealed).to.equal('a | b')
    bench.send('c', 6).answered()
    expect(bench.sealed).to.equal('')
    expect(bench.answered().sealed).to.equal('c')
  })

  it('keeps a frame open for lingerMs, from its first message on', () => {
    const bench = new Bench().send('a', 0).send('b', 1).send('c', 5)
    expect(bench.sealed).to.equal('a')
    expect(bench.framer.deadline()).to.equal(6)
    bench.framer.handleDeadline(5)
    expect(bench.sealed).to.equal('')
    bench.framer.handleDeadline(6)
    expect(bench.sealed).to.equal('b c')
    bench.framer.handleDeadline(bench.framer.deadline() ?? 6)
    expect(bench.framer.deadline()).to.equal(undefined)
  })

  it('keeps none open with a lingerMs of 0', () => {
    expect(new Bench().send('a b c', 0, { framing: { lingerMs: 0, bytesMax: 100 } }).sealed).to.equal('a | b | c')
  })

  it('lets a full frame leave at once: of bytes', () => {
    const bench = new Bench().send('a', 0)
    expect(bench.send('b c', 0, { framedBytes: 49 }).sealed).to.equal('a')
    expect(bench.send('d', 0, { framedBytes: 2 }).sealed, 'with what has room').to.equal('b c d')
    expect(bench.send('e', 0, { framedBytes: 60 }).send('f', 0, { framedBytes: 41 }).sealed).to.equal('e')
    expect(bench.send('g', 0, { framedBytes: 500 }).sealed, 'one that is larger has its own').to.equal('f | g')
  })

  it('lets a full frame leave at once: of messages', () => {
    const bench = new Bench().send('a', 0)
    const framing = { lingerMs: 5, bytesMax: 1_000_000 }
    for (let i = 1; i <= FRAME_MESSAGES_MAX; i++) {
      expect(bench.framer.waiting).to.equal(i)
      bench.send('b', 0, { framedBytes: 1, framing })
    }
    expect(bench.framer.poll()).to.have.length(1)
    expect(bench.framer.poll()).to.have.length(FRAME_MESSAGES_MAX)
  })

  it('does not mix sequences, and does not let one wait for another', () => {
    const bench = new Bench().send('a b', 0).send('x y', 0, { sequence: 1 })
    expect(bench.sealed).to.equal('a | x')
    expect(bench.answered(1).sealed).to.equal('y')
  })

  it('closes what stands before a message that shares no record, which then is under way itself', () => {
    const bench = new Bench().send('a b', 0)
    bench.framer.handleAlone(bench.sequences[0]!)
    expect(bench.sealed).to.equal('a | b')
    bench.send('c', 1).answered().answered()
    expect(bench.sealed).to.equal('')
    expect(bench.answered().sealed).to.equal('c')
  })

  it('gives up all that waits when it is closed, in order', () => {
    const bench = new Bench().send('a b c', 0).send('x y', 0, { sequence: 1 })
    expect(bench.framer.close().map(({ name }) => name)).to.deep.equal(['a', 'x', 'b', 'c', 'y'])
    expect(bench.framer.waiting).to.equal(0)
  })

  it('lets all leave when nothing more is to be waited for', () => {
    const bench = new Bench().send('a b', 0).send('x y', 0, { sequence: 1 })
    bench.framer.handleAllClosed()
    expect(bench.sealed).to.equal('a | x | b | y')
  })
})
