import { expect } from 'chai'

import { Arbiter, type ArbiterCommand, type FeedIndex } from './arbiter.js'
import type { Sequence } from './sequence.js'
import { storedStream } from './stored-stream.js'

/**
 * An arbiter with two written logs. `1` is epoch 1 counter 1, `2:1` epoch 2 counter 1, `v5` a void, `3-5` a frame,
 * `2b:1` another incarnation of epoch 2.
 */
class Bench {
  time = 0
  readonly arbiter: Arbiter<string>
  /** What was delivered, late ones with an exclamation mark. */
  readonly delivered: string[] = []
  readonly facts: string[] = []
  readonly commands: string[] = []
  /** Offsets that end queries answer, by feed; undefined: no answer. */
  ends: [number | undefined, number | undefined] = [undefined, undefined]
  acknowledging = true
  /** What is read goes on where it is told to; if not, only `again` goes back. */
  follows = true
  /** Where their logs begin. */
  readonly starts: [number, number] = [0, 0]
  readonly #offsets: [number, number] = [0, 0]
  readonly #words: readonly [string[], string[]] = [[], []]

  constructor(
    options: {
      heldMessagesMax?: number
      intervalsMax?: number
      from?: 'earliest' | 'latest'
      order?: 'late' | 'strict'
    } = {},
  ) {
    this.arbiter = new Arbiter(
      {
        topic: 't',
        partition: 0,
        clusters: ['east', 'west'],
        order: options.order ?? 'late',
        gapTimeoutMs: 5_000,
        holeTimeoutMs: 60_000,
        feedAwayAfterMs: 10_000,
        heldMessagesMax: options.heldMessagesMax ?? 1_000,
        heldBytesMax: 1_000_000,
        intervalsMax: options.intervalsMax ?? 1_000,
        from: options.from ?? 'earliest',
      },
      0,
    )
    for (const feed of [0, 1] as const) this.arbiter.handleAssigned(feed, { offset: 0 })
  }

  /** Letters are records without a stamp. */
  east(log: string): this {
    return this.read(0, log)
  }

  west(log: string): this {
    return this.read(1, log)
  }

  read(feed: FeedIndex, log: string): this {
    for (const word of log.split(' ').filter((text) => text !== '')) {
      const offset = this.follows ? this.#words[feed].length : this.#offsets[feed]
      this.#words[feed][offset] = word
      do this.#readNext(feed)
      while (this.follows && this.#offsets[feed] < this.#words[feed].length)
    }
    return this
  }

  #readNext(feed: FeedIndex): void {
    const offset = this.#offsets[feed]++
    const word = this.#words[feed][offset]!
    if (/^[a-z]$/.test(word)) {
      const content = { bytes: 10, wallMs: 0, record: word }
      this.arbiter.handleForeign({ feed, offset, wholeDigest: word.charCodeAt(0), content }, this.time)
    } else this.arbiter.handleRecord({ feed, offset, ...recordOf(word) }, this.time)
    this.drain()
  }

  /** Reads again, from where the feed went back to, what it had read; `count` records of it. */
  again(feed: FeedIndex, count = Infinity): this {
    const words = this.#words[feed].slice(this.arbiter.feeds[feed].nextOffset)
    this.#offsets[feed] = this.arbiter.feeds[feed].nextOffset
    return this.read(feed, words.slice(0, count).join(' '))
  }

  /** The feed is at its end, and says so when it is asked. */
  atEnd(feed: FeedIndex): this {
    this.ends[feed] = this.#offsets[feed]
    this.drain()
    return this
  }

  wait(ms: number): this {
    const until = this.time + ms
    for (;;) {
      const deadline = this.arbiter.deadline()
      if (deadline > until) break
      this.time = Math.max(this.time, deadline)
      this.arbiter.handleDeadline(this.time)
      this.drain()
    }
    this.time = until
    this.arbiter.handleDeadline(this.time)
    this.drain()
    return this
  }

  drain(): void {
    let command: ArbiterCommand<string> | undefined
    while ((command = this.arbiter.poll(this.time)) !== undefined) this.#carryOut(command)
  }

  #carryOut(command: ArbiterCommand<string>): void {
    switch (command.kind) {
      case 'deliver': {
        const { stream, sequence, first, last, late, record } = command
        if (/^[a-z]$/.test(record)) this.delivered.push(record)
        else
          for (let counter = first; counter <= last; counter++) {
            this.delivered.push(`${sequence.epoch === 1 ? '' : `${sequence.epoch}:`}${counter}${late ? '!' : ''}`)
          }
        if (this.acknowledging) this.arbiter.handleFinished({ stream, sequence, late }, first, last)
        break
      }
      case 'ask-end': {
        const { feed, step } = command
        const end = this.ends[feed]
        this.commands.push(`ask ${feed}`)
        if (end === undefined) this.arbiter.handleEndFailed(feed, step, this.time)
        else this.arbiter.handleEnd({ feed, step, end }, this.time)
        break
      }
      case 'ask-start':
        this.arbiter.handleStart({ feed: command.feed, start: this.starts[command.feed] }, this.time)
        break
      case 'tell':
        this.facts.push(command.fact.kind)
        break
      case 'seek':
        this.commands.push(`seek ${command.feed}`)
        if (this.follows) this.#offsets[command.feed] = command.offset
        break
      case 'pause':
      case 'resume':
        this.commands.push(`${command.kind} ${command.feed}`)
        break
      default:
        command satisfies never
    }
  }

  get out(): string {
    return this.delivered.join(' ')
  }

  /** The oldest sequence of the only stream. */
  sequence(): Sequence<string> {
    return [...this.arbiter.streams.values()][0]!.sequences[0]!
  }

  count(kind: string): number {
    return this.facts.filter((fact) => fact === kind).length
  }
}

function recordOf(word: string) {
  const [, epoch, incarnation, isVoid, first, last] = /^(?:(\d+)(b?):)?(v?)(\d+)(?:-(\d+))?$/.exec(word)!
  const count = last === undefined ? 1 : Number(last) - Number(first) + 1
  return {
    stamp: {
      kind: isVoid ? ('void' as const) : count > 1 ? ('frame' as const) : ('data' as const),
      producerId: 'p',
      epoch: Number(epoch ?? 1),
      incarnation: incarnation ? 2 : 1,
      keyRange: 0,
      first: Number(first),
      count,
    },
    bytes: 10,
    digest: Number(first),
    wholeDigest: [...word].reduce((sum, letter) => 31 * sum + letter.charCodeAt(0), 0),
    wallMs: 0,
    record: word,
  }
}

/** A bench whose stream has begun: both feeds have shown 1. An end that was asked in vain is asked again at 500 ms. */
function begun(options = {}): Bench {
  return new Bench(options).east('1').west('1')
}

/** One whose west is at its end and stays there. */
function alone(options = {}): Bench {
  const bench = begun(options).atEnd(1).wait(1_000)
  bench.follows = false
  return bench
}

describe('arbiter', () => {
  describe('finished intervals', () => {
    /** Delivers 1 to 12 and finishes these. */
    const finishing = (counters: readonly number[]): Bench => {
      const bench = begun({ intervalsMax: 4 })
      bench.acknowledging = false
      bench.east('2 3 4 5 6 7 8 9 10 11 12')
      const [stream] = [...bench.arbiter.streams.values()]
      const sequence = bench.sequence()
      for (const counter of counters)
        bench.arbiter.handleFinished({ stream: stream!, sequence, late: false }, counter, counter)
      bench.arbiter.takeChanged()
      bench.drain()
      return bench
    }

    it('are kept up to the bound', () => {
      const bench = finishing([3, 5, 7])
      expect(bench.sequence().finished.toString()).to.equal('1 3 5 7')
      expect(bench.count('positions-forgotten')).to.equal(0)
    })

    it('beyond it the shortest are forgotten, but not the lowest, and what they hold may come again', () => {
      const bench = finishing([3, 5, 6, 8, 10])
      expect(bench.sequence().finished.toString()).to.equal('1 5-6 8 10')
      expect(bench.count('positions-forgotten')).to.equal(1)
      bench.west('3 5')
      expect(bench.delivered.at(-1)).to.equal('3!')
    })

    it('take in what was rejected, if there is too much of that', () => {
      const bench = begun({ intervalsMax: 2 })
      bench.read(0, 'v2 3 v4 5 v6 7').read(1, 'v2 3 v4 5 v6 7')
      expect(bench.sequence().rejected.toString()).to.equal('2 4 6')
      bench.arbiter.takeChanged()
      expect(bench.sequence()).to.deep.include({ highWater: 7, debts: 0 })
      expect(bench.sequence().rejected.size).to.equal(0)
    })

    it('do not keep a feed from going on, once they are forgotten', () => {
      const bench = finishing([3, 5, 6, 8, 10])
      const [stream] = [...bench.arbiter.streams.values()]
      for (const counter of [2, 4, 7, 9, 11, 12]) {
        bench.arbiter.handleFinished({ stream: stream!, sequence: bench.sequence(), late: false }, counter, counter)
      }
      bench.arbiter.takeChanged()
      expect(bench.arbiter.resumeOffset(0)).to.equal(12)
    })
  })

  describe('rule 1: per feed and counter the first of data and void decides', () => {
    it('does not believe data that this feed voided before, and rejects what every feed voided', () => {
      const bench = begun().east('v2 2 3').west('v2 3')
      expect(bench.out).to.equal('1 3')
      expect(bench.count('data-after-void')).to.equal(1)
      expect(bench.count('positions-rejected')).to.equal(1)
    })

    it('delivers data that came before its void', () => {
      expect(begun().east('2 v2 3').west('v2 3').out).to.equal('1 2 3')
      expect(begun().west('v2 3').east('2 v2 3').out).to.equal('1 2 3')
    })

    it('keeps what is held from a void that comes after it', () => {
      const bench = begun().east('3 v3').west('v3 2')
      expect(bench.out).to.equal('1 2 3')
    })
  })

  describe('rules 2 to 5: at the frontier, below, beyond', () => {
    it('drops what is finished or in flight, and counts it', () => {
      const bench = begun().east('2 3').west('2 3 3')
      expect(bench.out).to.equal('1 2 3')
      expect(bench.arbiter.duplicatesDropped).to.equal(4)
    })

    it('fills a hole of one feed from the other', () => {
      const bench = begun().east('3').west('2 3')
      expect(bench.out).to.equal('1 2 3')
      expect(bench.facts).to.deep.equal([])
    })

    it('delivers of a frame only what was not delivered', () => {
      const bench = begun().east('2 5').west('2-4').west('4-7')
      expect(bench.out).to.equal('1 2 3 4 5 6 7')
    })
  })

  describe('rule 6: a hole', () => {
    it('waits while a live feed that has not voided it is not past it', () => {
      const bench = begun().east('3')
      bench.atEnd(0)
      for (let i = 0; i < 5; i++) {
        // West answers, but has not read up to what it says.
        bench.ends[1] = 100
        bench.wait(5_000)
      }
      expect(bench.out).to.equal('1')
      bench.west('2')
      expect(bench.out).to.equal('1 2 3')
    })

    it('waits gapTimeoutMs more when both are past it, and delivers late what comes then', () => {
      const bench = begun().east('3').west('3')
      bench.atEnd(0).atEnd(1).wait(4_999)
      expect(bench.out).to.equal('1')
      bench.wait(1)
      expect(bench.out).to.equal('1 3')
      bench.east('2').west('2')
      expect(bench.out).to.equal('1 3 2!')
      expect(bench.facts).to.deep.equal(['debt-opened', 'delivered-late', 'debt-paid'])
    })

    it('does not wait for a feed that voided it', () => {
      const bench = begun().east('v2 3').west('3')
      bench.atEnd(0).atEnd(1).wait(5_000)
      expect(bench.out).to.equal('1 3')
    })

    it('has one clock for each hole, from when something beyond it was seen', () => {
      const bench = begun().east('3 5 7 9').west('3 5 7 9')
      bench.atEnd(0).atEnd(1).wait(5_000)
      expect(bench.out).to.equal('1 3 5 7 9')
    })

    it('believes an end only if it was asked for after the hole was seen', () => {
      const bench = begun()
      bench.atEnd(1).wait(4_000)
      expect(bench.commands).to.include('ask 1')
      bench.ends[1] = undefined
      bench.east('3').wait(5_500)
      expect(bench.out, 'the old answer says nothing').to.equal('1')
      bench.atEnd(1).wait(5_600)
      expect(bench.out).to.equal('1 3')
    })

    it('does not wait for a feed that is away', () => {
      const bench = begun().east('3')
      bench.ends[0] = 2
      bench.wait(9_999)
      expect(bench.out).to.equal('1')
      bench.wait(1)
      expect(bench.out).to.equal('1 3')
      expect(bench.count('feed-away')).to.equal(1)
      bench.west('2')
      expect(bench.out).to.equal('1 3 2!')
      expect(bench.count('feed-returned')).to.equal(1)
    })

    it('waits for nothing longer than holeTimeoutMs, and only once for a feed that answers but is slow', () => {
      const bench = begun().east('3')
      bench.ends = [2, 100]
      bench.wait(59_999)
      expect(bench.out).to.equal('1')
      bench.wait(1)
      expect(bench.out).to.equal('1 3')
      bench.east('5')
      bench.ends = [3, 100]
      bench.wait(5_000)
      expect(bench.out).to.equal('1 3 5')
    })

    it('takes a void with nothing after it for a hole', () => {
      const bench = begun().atEnd(1).east('v2')
      bench.wait(5_500)
      expect(bench.count('debt-opened')).to.equal(1)
      bench.west('2')
      expect(bench.out).to.equal('1 2!')
    })

    it('goes past a hole of many counters at once, but not past what another feed may still bring', () => {
      const bench = begun().east('v2-4 9').west('9')
      bench.atEnd(0).atEnd(1).wait(5_000)
      expect(bench.out).to.equal('1 9')
      bench.west('3 7')
      expect(bench.out).to.equal('1 9 3! 7!')
    })
  })

  describe('rule 7: a newer epoch', () => {
    it('waits for the other feed to show it, or to be at an end asked for after it was seen', () => {
      const bench = begun().east('2 2:1')
      expect(bench.out).to.equal('1 2')
      bench.west('2 3 2:1')
      expect(bench.out).to.equal('1 2 3 2:1')
    })

    it('begins when the other feed is at its end', () => {
      const bench = begun().atEnd(1).east('2:1')
      bench.wait(500)
      expect(bench.out).to.equal('1 2:1')
    })

    it('delivers what is held of the older first, past its holes, without the gap timeout', () => {
      const bench = begun().east('3 2:1').west('3 2:1')
      expect(bench.out).to.equal('1 3 2:1')
      expect(bench.count('debt-opened')).to.equal(1)
    })

    it('delivers late what still comes of the older, or of one that was never seen', () => {
      const bench = begun().east('2:1').west('2:1').east('2').west('0:1')
      expect(bench.out).to.equal('1 2:1 2! 0:1!')
    })

    it('owes what it passes over in an older one', () => {
      const bench = begun().east('2:1').west('2:1').east('4')
      expect(bench.out).to.equal('1 2:1 4!')
      expect(bench.count('debt-opened')).to.equal(1)
      bench.west('2 3')
      expect(bench.out).to.equal('1 2:1 4! 2! 3!')
    })

    it('lets the first sequence of a stream begin in the same way', () => {
      const bench = new Bench().east('2:1')
      expect(bench.out).to.equal('')
      bench.west('1 2:1')
      expect(bench.out).to.equal('1 2:1')
    })

    it('does not let two incarnations of one epoch wait for each other', () => {
      const bench = new Bench().east('2:1').west('2b:1')
      expect(bench.out).to.equal('2:1 2:1')
    })

    it('waits at most holeTimeoutMs for a feed that answers but brings nothing, once', () => {
      const bench = new Bench().east('1 2:1')
      bench.ends = [2, 100]
      bench.wait(59_999)
      expect(bench.out).to.equal('')
      bench.wait(1)
      expect(bench.out).to.equal('1 2:1')
      expect(bench.count('feed-discounted')).to.equal(1)
    })
  })

  describe('rule 8: a sequence never seen', () => {
    it('owes what lies before its first message', () => {
      const bench = new Bench().east('3').west('3')
      bench.atEnd(0).atEnd(1).wait(5_000)
      expect(bench.out).to.equal('3')
      bench.west('2')
      expect(bench.out).to.equal('3 2!')
    })

    it('begins at the lowest that is known with from: latest, and owes nothing before', () => {
      const bench = new Bench({ from: 'latest' }).east('7 8').west('6 7 8')
      expect(bench.out).to.equal('6 7 8')
      expect(bench.count('debt-opened')).to.equal(0)
      expect(bench.sequence()).to.include({ debts: 0, highWater: 3 })
      expect(bench.east('10').wait(70_000).sequence(), 'what is missing since').to.include({ debts: 1, highWater: 3 })
      expect(bench.east('5').out, 'nobody owes it, and it is not lost').to.equal('6 7 8 10 5!')
    })

    it('owes nothing before where it recovered, unless both logs are read from their first record', () => {
      for (const [offset, owed] of [
        [1, 0],
        [0, 2],
      ] as const) {
        const bench = new Bench()
        bench.arbiter.handleAssigned(0, { offset: 0, begins: true, recovered: true })
        bench.arbiter.handleAssigned(1, { offset, begins: true, recovered: true })
        bench.arbiter.handleRecord({ feed: 0, offset: 0, ...recordOf('3') }, 0)
        bench.arbiter.handleRecord({ feed: 1, offset, ...recordOf('3') }, 0)
        bench.wait(140_000)
        expect(bench.out).to.equal('3')
        expect(bench.sequence(), `from ${offset}`).to.include({ debts: owed })
      }
    })

    it('owes nothing before what it was born with in the next life either', () => {
      const first = new Bench({ from: 'latest' }).east('6 7').west('6 7')
      const [stream] = first.arbiter.takeChanged()
      const second = new Bench({ from: 'latest' })
      second.arbiter.restore(storedStream(stream!, ['east', 'west'])!)
      expect(second.east('6 7 8').out).to.equal('8')
      expect(second.sequence()).to.include({ debts: 0, highWater: 3 })
    })

    it('owes nothing of an older epoch before what is seen of it with from: latest', () => {
      const bench = new Bench({ from: 'latest' }).east('2:6').west('2:6').west('1:8')
      expect(bench.out).to.equal('2:6 8!')
      expect(bench.count('debt-opened')).to.equal(0)
      expect(bench.sequence()).to.include({ debts: 0, highWater: 1 })
    })
  })

  describe('rule 9', () => {
    it('tells of two records under one position', () => {
      const bench = begun().east('2')
      const record = { ...recordOf('2'), digest: 99 }
      bench.arbiter.handleRecord({ feed: 1, offset: 1, ...record }, 0)
      bench.drain()
      expect(bench.count('feeds-diverged')).to.equal(1)
      expect(bench.out).to.equal('1 2')
    })
  })

  describe('bounds', () => {
    it('pauses a feed at the held bound and resumes it at half', () => {
      const bench = begun({ heldMessagesMax: 4 }).east('3 4 5')
      expect(bench.commands).to.not.include('pause 0')
      bench.east('6')
      expect(bench.commands).to.include('pause 0')
      expect(bench.count('feed-paused')).to.equal(1)
      bench.west('2')
      expect(bench.out).to.equal('1 2 3 4 5 6')
      expect(bench.commands).to.include('resume 0')
    })

    it('scans when nothing is to be hoped for from the other feed, and seeks back when delivery comes to what it dropped', () => {
      const bench = alone({ heldMessagesMax: 3 })
      bench.east('3 4 5')
      expect(bench.arbiter.feeds[0]).to.include({ scansFrom: 1, heldMessages: 0, paused: false })
      bench.east('6 8')
      expect(bench.arbiter.resumeOffset(0), 'nothing is stored beyond what was dropped').to.equal(1)
      bench.east('2')
      expect(bench.out).to.equal('1 2')
      expect(bench.commands.filter((command) => command.startsWith('seek'))).to.deep.equal(['seek 0'])
      expect(bench.arbiter.feeds[0]).to.include({ scansFrom: undefined, nextOffset: 1 })
      bench.again(0)
      expect(bench.out).to.equal('1 2 3 4 5 6')
      expect(bench.arbiter.duplicatesDropped, 'what is read again is none').to.equal(1)
      bench.wait(5_200)
      expect(bench.out).to.equal('1 2 3 4 5 6 8')
    })

    it('does not go past what was scanned, nor past what lies behind it, before that is read again', () => {
      const bench = alone({ heldMessagesMax: 2 })
      bench.east('3 4 6').wait(5_000)
      expect(bench.facts.filter((kind) => kind === 'debt-opened')).to.have.length(1)
      expect(bench.arbiter.feeds[0].nextOffset).to.equal(1)
      bench.again(0, 2)
      expect(bench.out).to.equal('1 3 4')
      // That it has shown 6 is forgotten: 5 may come as well as ever.
      bench.wait(4_000)
      expect(bench.out).to.equal('1 3 4')
      bench.again(0).wait(5_000)
      expect(bench.out).to.equal('1 3 4 6')
    })

    it('does not believe a void of what it has scanned', () => {
      const bench = alone({ heldMessagesMax: 2 })
      bench.east('3 4 v3 5 2').again(0).wait(5_000)
      expect(bench.out).to.equal('1 2 3 4 5')
      const voided = alone({ heldMessagesMax: 2 })
      voided.east('4 5 v3 3 6 2').again(0).wait(5_000).again(0)
      expect(voided.out, 'what it voided while it scanned it has voided').to.equal('1 2 4 5 6')
    })

    it('delivers what has no stamp at once and once, however often it goes back', () => {
      const bench = alone({ heldMessagesMax: 2 })
      bench.east('a 3 b 4 c 5 d 2')
      expect(bench.out).to.equal('1 a b c d 2')
      bench.again(0).east('e')
      expect(bench.out).to.equal('1 a b c d 2 3 4 5 e')
      expect(bench.arbiter.resumeOffset(0)).to.equal(10)
    })

    it('does not hear what still comes of where it was', () => {
      const bench = alone({ heldMessagesMax: 2 })
      bench.east('3')
      const words = ['4', '2', '5']
      words.forEach((word, index) =>
        bench.arbiter.handleRecord({ feed: 0, offset: 2 + index, ...recordOf(word) }, 1_000),
      )
      bench.arbiter.handleForeign({ feed: 0, offset: 5, wholeDigest: 0 }, 1_000)
      bench.arbiter.handleEndReached(0, 6, 1_000)
      expect(bench.arbiter.feeds[0].nextOffset).to.equal(1)
      expect(bench.arbiter.resumeOffset(0)).to.equal(1)
    })

    it('begins to scan when the feed that it waits for goes away, and when that one is full, too', () => {
      const away = begun({ heldMessagesMax: 2, order: 'strict' }).east('3 4')
      expect(away.arbiter.feeds[0].paused).to.equal(true)
      away.wait(10_000)
      expect(away.arbiter.feeds[0]).to.include({ paused: false, scansFrom: 1 })
      const full = begun({ heldMessagesMax: 2 }).east('3 4').west('5 6')
      expect(full.arbiter.feeds.map(({ scansFrom }) => scansFrom)).to.deep.equal([1, 1])
    })
  })

  describe("order: 'strict'", () => {
    it('waits for a feed that is away, at a hole and before a newer epoch, and says so once', () => {
      const bench = begun({ order: 'strict' }).east('3').wait(200_000)
      expect(bench.out).to.equal('1')
      expect([bench.count('feed-away'), bench.count('stream-stalled'), bench.count('feed-discounted')]).to.deep.equal([
        2, 1, 0,
      ])
      bench.west('2')
      expect(bench.out).to.equal('1 2 3')
      expect(bench.count('stream-resumed')).to.equal(1)
      bench.east('2:1').wait(60_000)
      expect(bench.count('stream-stalled')).to.equal(2)
      bench.west('4 2:1')
      expect(bench.out).to.equal('1 2 3 4 2:1')
    })

    it('does not say that it stands while it reads again what it has scanned', () => {
      const bench = begun({ order: 'strict', heldMessagesMax: 2 }).east('3 4').wait(200_000).east('5')
      expect([bench.count('stream-stalled'), bench.arbiter.feeds[0].scansFrom]).to.deep.equal([1, 1])
      bench.west('2').east('3').east('4').east('5')
      expect(bench.out).to.equal('1 2 3 4 5')
      expect([bench.count('stream-stalled'), bench.count('stream-resumed')]).to.deep.equal([1, 1])
      const silent = begun({ order: 'strict', heldMessagesMax: 2 }).east('3 4').wait(200_000).east('5').west('2')
      silent.wait(60_000)
      expect(silent.count('stream-stalled'), 'what is not read again').to.equal(2)
    })

    it('waits for a hole that every feed has read beyond, until each has voided it or shown a newer epoch', () => {
      const bench = begun({ order: 'strict' }).east('3').west('3').atEnd(0).atEnd(1).wait(200_000)
      expect(bench.out).to.equal('1')
      bench.east('v2').atEnd(0).wait(60_000)
      expect(bench.out).to.equal('1')
      bench.west('2:1')
      expect(bench.out).to.equal('1 3 2:1')
    })

    it('does not wait for what may lie before where a feed is read from', () => {
      const bench = new Bench({ order: 'strict' })
      bench.arbiter.handleAssigned(0, { offset: 5, begins: true })
      bench.arbiter.handleAssigned(1, { offset: 7, begins: true })
      bench.arbiter.handleRecord({ feed: 0, offset: 5, ...recordOf('5') }, 0)
      bench.drain()
      expect(bench.out).to.equal('')
      bench.arbiter.handleRecord({ feed: 1, offset: 7, ...recordOf('4') }, 0)
      bench.drain()
      expect(bench.out).to.equal('4 5')
    })

    it('goes past what an operator has skipped, and no further', () => {
      const bench = begun({ order: 'strict' }).east('5 8').wait(60_000)
      const name = { stream: '0/p', epoch: 1, incarnation: 1 }
      const { stall } = [...bench.arbiter.streams.values()][0]!.sequences[0]!
      expect(stall).to.include({ first: 2, count: 3 })
      expect(bench.arbiter.skip({ ...name, first: 1, count: 3 }, 0), 'another hole').to.equal(false)
      expect(bench.arbiter.skip({ ...name, incarnation: 2, first: 2, count: 3 }, 0)).to.equal(false)
      bench.west('4') // meanwhile the hole has become smaller
      expect(bench.arbiter.skip({ ...name, first: 2, count: 3 }, bench.time)).to.equal(true)
      bench.drain()
      expect(bench.out).to.equal('1 4 5')
      expect(bench.arbiter.skip({ ...name, first: 2, count: 3 }, bench.time), 'it is skipped').to.equal(false)
      bench.west('2')
      expect(bench.out).to.equal('1 4 5 2!')
    })

    it('has what is held of an older epoch come first where an operator has a newer one begin', () => {
      const bench = begun({ order: 'strict' }).east('2:1').wait(60_000)
      const stalled = bench.arbiter.streams.get('0/p')!.sequences.at(-1)!
      expect(stalled.stall).to.include({ first: 1, count: 0 })
      bench.west('3 5')
      const name = { stream: '0/p', epoch: 2, incarnation: 1 }
      expect(bench.arbiter.skip({ ...name, first: 1, count: 0 }, bench.time)).to.equal(true)
      bench.drain()
      expect(bench.out).to.equal('1 3 5 2:1')
      bench.west('2')
      expect(bench.out).to.equal('1 3 5 2:1 2!')
    })
  })

  describe('what is booked, though no flush has said so', () => {
    const booked = (options: { from?: 'latest' }, ...ids: [epoch: number, counter: number][]): Bench => {
      const bench = new Bench(options)
      for (const [epoch, counter] of ids) {
        const id = { keyRange: 0, producerId: 'p', epoch, incarnation: 1 }
        bench.arbiter.restoreFinished({ ...id, first: counter, last: counter }, 0)
      }
      return bench
    }

    it('is not delivered again, and is stored by the next flush', () => {
      const bench = booked({}, [1, 2], [1, 4]).east('1 2 3 4 5').west('1 2 3 4 5')
      expect(bench.out).to.equal('1 3 5')
      const [stream] = bench.arbiter.takeChanged()
      expect(storedStream(stream!, ['east', 'west'])!.sequences[0]!.finished.toArray()).to.deep.equal([1, 5])
      expect([bench.arbiter.resumeOffset(0), bench.arbiter.resumeOffset(1)]).to.deep.equal([5, 5])
    })

    it('does not come before what is in flight of an older epoch', () => {
      expect(booked({}, [2, 1]).east('1 2:1 2:2').west('1 2:1 2:2').out).to.equal('1 2:2')
    })

    it('pays a debt', () => {
      const first = new Bench().east('1 3').west('1').wait(70_000)
      expect(first.out).to.equal('1 3')
      const second = new Bench()
      second.arbiter.restore(storedStream(first.arbiter.takeChanged()[0]!, ['east', 'west'])!)
      expect(second.sequence().debts).to.equal(1)
      const id = { keyRange: 0, producerId: 'p', epoch: 1, incarnation: 1 }
      second.arbiter.restoreFinished({ ...id, first: 2, last: 2 }, 0)
      expect(second.sequence()).to.include({ debts: 0, highWater: 3 })
      expect(second.west('1 2 3 4').out).to.equal('4')
    })

    it('makes nobody owe what lies before the birth, with from: latest', () => {
      for (const counters of [[7], [6, 7], [6], [8]]) {
        const bench = booked({ from: 'latest' }, ...counters.map((counter) => [1, counter] as [number, number]))
        bench.east('6 7 8').west('6 7 8')
        const rest = [6, 7, 8].filter((counter) => !counters.includes(counter))
        expect(bench.out, `${counters.join()} booked`).to.equal(rest.join(' '))
        expect(bench.count('debt-opened')).to.equal(0)
        expect(bench.sequence()).to.include({ debts: 0, highWater: 3 })
      }
    })
  })

  describe('what is stored', () => {
    it('moves past a record only when it is finished', () => {
      const bench = begun()
      bench.acknowledging = false
      bench.east('2')
      bench.arbiter.takeChanged()
      expect(bench.arbiter.resumeOffset(0)).to.equal(1)
    })

    it('moves past a void below the frontier, and past data after it (offset-not-pinned)', () => {
      const bench = new Bench().east('1 2 3 v4').west('1 2 3 5 6').east('4 5 6')
      bench.atEnd(0).atEnd(1).wait(5_000)
      expect(bench.out).to.equal('1 2 3 5 6')
      bench.arbiter.takeChanged()
      expect(bench.arbiter.resumeOffset(0)).to.equal(7)
    })

    it('stays at a void that is beyond the frontier', () => {
      const bench = begun().east('v3')
      bench.arbiter.takeChanged()
      expect(bench.arbiter.resumeOffset(0)).to.equal(1)
    })

    it('begins again at the start of a log whose end stays behind what was read of it', () => {
      const bench = begun().east('2 3 4 5').west('2 3 4 5').atEnd(1)
      bench.ends[0] = 2
      bench.wait(10_000)
      expect(bench.count('log-truncated')).to.equal(0)
      bench.wait(10_000)
      expect(bench.count('log-truncated')).to.equal(1)
      expect(bench.commands).to.include('seek 0')
      bench.arbiter.takeChanged()
      expect([bench.arbiter.resumeOffset(0), bench.arbiter.resumeOffset(1)]).to.deep.equal([0, 5])
      for (const [offset, word] of ['1', '2', '6'].entries()) {
        bench.arbiter.handleRecord({ feed: 0, offset, ...recordOf(word) }, bench.time)
      }
      bench.drain()
      expect(bench.out).to.equal('1 2 3 4 5 6')
      bench.arbiter.takeChanged()
      expect(bench.arbiter.resumeOffset(0)).to.equal(3)
    })

    it('goes on where a log begins if that is beyond what is to be read next', () => {
      const bench = begun().west('2 3').atEnd(1)
      bench.ends[0] = 9
      bench.wait(10_000)
      expect(bench.count('log-start-moved'), 'only late').to.equal(0)
      bench.starts[0] = 7
      bench.wait(5_000)
      expect(bench.count('log-start-moved')).to.equal(1)
      expect(bench.commands).to.include('seek 0')
      expect(bench.arbiter.feeds[0].nextOffset).to.equal(7)
    })

    it('does not ask where a log begins while it is at its end', () => {
      const bench = begun().atEnd(0).atEnd(1)
      bench.starts[0] = 7 // it would move
      bench.wait(10_000)
      expect(bench.count('log-start-moved')).to.equal(0)
    })

    it('stays where it is if a log was said to end before what was read of it for a moment only', () => {
      const bench = begun().east('2 3').west('2 3').atEnd(1)
      bench.ends[0] = 1
      bench.wait(7_000)
      bench.atEnd(0).wait(7_000)
      bench.ends[0] = 1
      bench.wait(7_000)
      expect(bench.count('log-truncated')).to.equal(0)
    })

    it('does not store of a newer sequence while an older has in-order deliveries in flight', () => {
      const bench = new Bench()
      bench.acknowledging = false
      bench.east('1 2:1').west('1 2:1')
      const [stream] = bench.arbiter.takeChanged()
      expect(stream!.sequences.map(({ storable }) => storable)).to.deep.equal([true, false])
      bench.arbiter.handleFinished({ stream: stream!, sequence: stream!.sequences[0]!, late: false }, 1, 1)
      bench.arbiter.takeChanged()
      expect(stream!.sequences.map(({ storable }) => storable)).to.deep.equal([true, true])
    })
  })
})
