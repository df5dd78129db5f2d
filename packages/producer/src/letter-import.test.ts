import { encodeStamp, type Clock, type StampKind, type TandemFact } from '@tandem/common/internal'
import { expect } from 'chai'

import type { LaneIndex } from './core/record.js'
import type { BuriedLetter, DeadLetter, Journal } from './journal/journal.js'
import type { LogRecord } from './kafka/log-reader.js'
import { LetterImport, type ImportReport, type LetterImportOptions, type Resend } from './letter-import.js'
import { settlePromises } from './world.test.js'

/** An import whose surroundings do what a test says; each log is a text: `1 v2`. */
class Bench {
  readonly letters: BuriedLetter[] = []
  readonly facts: TandemFact[] = []
  /** What was done, in order. */
  readonly done: string[] = []
  readonly logs: [string, string] = ['', '']
  /** Partitions; undefined is no answer. */
  readonly partitions: [number | undefined, number | undefined] = [1, 1]
  /** Where each log begins. */
  readonly starts: [number, number] = [0, 0]
  readonly voids: [boolean | undefined, boolean | undefined] = [true, true]
  /** How many readings fail before one succeeds. */
  failing = 0
  exhumes = true
  leftovers = false
  sends: 'sent' | 'failed' | 'kept' | 'never' = 'sent'
  here: LetterImportOptions['here'] = () => undefined
  now = 0
  #tasks: { at: number; task: () => void }[] = []
  readonly #import: LetterImport

  constructor(options: Partial<LetterImportOptions> = {}) {
    this.#import = new LetterImport({
      journal: this.#journal(),
      clock: this.#clock(),
      clusters: ['east', 'west'],
      lettersMax: 2,
      here: (letter) => this.here(letter),
      partitions: (lane) => Promise.resolve(this.partitions[lane]),
      void: (lane, { position }) => this.#void(lane, position.counter),
      reader: (lane) => ({
        read: async (range, see) => {
          this.done.push(`read ${lane} from ${range.from}`)
          if (this.failing-- > 0) throw new Error('connection lost')
          const records = this.logs[lane].split(' ').filter((text) => text !== '')
          const start = this.starts[lane]
          for (const [index, text] of records.entries()) if (!see(recordOf(text, start + index))) break
          return { start, end: start + records.length }
        },
      }),
      send: (letter, rebury) => this.#send(letter, rebury),
      exhumed: () => this.done.push('exhumed'),
      leftovers: () => this.leftovers,
      tell: (fact) => this.facts.push(fact),
      ...options,
    })
  }

  bury(counter: number, more: Partial<DeadLetter> = {}): this {
    const letter: DeadLetter = {
      position: { producerId: 'p', epoch: 7, incarnation: 1, counter },
      ...{ keyRange: 0, topic: 'entries', partition: 0, key: null, value: Buffer.from('x'), headers: [] },
      ...{
        timestampMs: 1,
        outcome: 'unknown',
        reason: 'timeout',
        rejectedWallMs: 1,
        from: { east: 0, west: 0 },
        ...more,
      },
    }
    this.letters.push({ name: String(counter), letter })
    return this
  }

  /** The same letter once more. */
  buryTwin(counter: number): this {
    this.letters.push({ name: `${counter} again`, letter: this.#letter(counter) })
    return this
  }

  /** Imports for so long; what does not come to an end by itself is ended by the clock. */
  async run(timeoutMs = 5_000): Promise<ImportReport> {
    let report: ImportReport | undefined
    void this.#import.run(timeoutMs).then((result) => (report = result))
    for (let rounds = 0; report === undefined; rounds++) {
      for (let i = 0; i < 5; i++) await settlePromises()
      if (rounds > 100) throw new Error(`no report after ${this.now} ms: ${this.done.join(', ')}`)
      if (report === undefined) this.#next()
    }
    return report
  }

  /** So many of each, and nothing else. */
  async expectReport(expected: Partial<ImportReport>, timeoutMs?: number): Promise<void> {
    const none = { sent: 0, found: 0, pending: 0, undecided: 0, failed: 0, damaged: 0 }
    expect(await this.run(timeoutMs)).to.deep.equal({ ...none, ...expected })
  }

  #void(lane: LaneIndex, counter: number): Promise<boolean> {
    this.done.push(`void ${lane} ${counter}`)
    const written = this.voids[lane]
    return written === undefined ? new Promise(() => undefined) : Promise.resolve(written)
  }

  #send({ position }: DeadLetter, rebury: (letter: DeadLetter) => Promise<void>): Resend {
    this.done.push(`send ${position.counter}`)
    const { sends } = this
    let abort = (): void => undefined
    const end = new Promise<'sent' | 'failed' | 'kept'>((resolve) => {
      abort = () => resolve('kept')
      if (sends !== 'never') void rebury(this.#letter(position.counter)).then(() => resolve(sends))
    })
    return { end, abort }
  }

  #letter(counter: number): DeadLetter {
    const found = this.letters.find(({ name }) => name === String(counter))!
    return (found as { letter: DeadLetter }).letter
  }

  #journal(): Journal {
    const { letters, done } = this
    const exhume = async (name: string): Promise<void> => {
      if (!this.exhumes) throw new Error('the disk is full')
      done.push(`exhume ${name}`)
    }
    return {
      exhume,
      rebury: async (name: string) => void done.push(`rebury ${name}`),
      async *deadLetters() {
        yield* letters
      },
    } as unknown as Journal
  }

  #clock(): Clock {
    return {
      now: () => this.now,
      wall: () => this.now,
      schedule: (at, task) => {
        const entry = { at, task }
        this.#tasks.push(entry)
        return () => (this.#tasks = this.#tasks.filter((one) => one !== entry))
      },
    }
  }

  #next(): void {
    const [next] = this.#tasks.sort((a, b) => a.at - b.at)
    if (next === undefined) return
    this.#tasks = this.#tasks.filter((one) => one !== next)
    this.now = next.at
    next.task()
  }
}

function recordOf(text: string, offset: number): LogRecord {
  const kind: StampKind = text.startsWith('v') ? 'void' : 'data'
  const first = Number(text.replace('v', ''))
  const other = [{ other: Buffer.from('x') }]
  if (Number.isNaN(first)) return { offset, headers: [...other, { tandem: Buffer.from(text) }] }
  const stamp = encodeStamp({ kind, producerId: 'p', epoch: 7, incarnation: 1, keyRange: 0, first, count: 1 })
  return { offset, headers: [...other, { tandem: Buffer.from(stamp) }] }
}

describe('letter import', () => {
  it('voids a position in both logs, then reads them, then sends again what none has, then lets go of the letter', async () => {
    const bench = new Bench().bury(1)
    bench.logs.fill('2 v1')
    await bench.expectReport({ sent: 1 })
    expect(bench.done).to.deep.equal([
      ...['void 0 1', 'void 1 1', 'read 0 from 0', 'read 1 from 0'],
      ...['send 1', 'rebury 1', 'exhume 1', 'exhumed'],
    ])
    expect(bench.facts).to.deep.equal([{ kind: 'dead-letter-imported', topic: 'entries', fate: 'sent', count: 1 }])
  })

  it('leaves alone what may be an entry of an earlier life, too; what was not written is none', async () => {
    const bench = new Bench().bury(1).bury(2, { outcome: 'not-written' })
    bench.leftovers = true
    bench.logs.fill('v2')
    await bench.expectReport({ pending: 1, sent: 1 })
    expect(bench.done.filter((what) => what.startsWith('send'))).to.deep.equal(['send 2'])
  })

  it('sends one of two letters of the same position, when the other one is gone', async () => {
    const bench = new Bench().bury(1).buryTwin(1)
    bench.logs.fill('v1')
    await bench.expectReport({ sent: 1 })
    expect(bench.done.filter((what) => !/void|read/.test(what))).to.deep.equal([
      ...['exhume 1 again', 'exhumed', 'send 1', 'rebury 1', 'exhume 1', 'exhumed'],
    ])
  })

  it('sends neither of two letters of the same position if the disk does not let go of one', async () => {
    const bench = new Bench().bury(1).buryTwin(1)
    bench.exhumes = false
    bench.logs.fill('v1')
    await bench.expectReport({ pending: 2 })
    expect(bench.done).to.deep.equal([])
  })

  it('sends nothing that one log has before the void, whatever the other says, nor waits for that one', async () => {
    const bench = new Bench().bury(1)
    bench.logs[0] = '1 v1'
    bench.voids[1] = undefined
    await bench.expectReport({ found: 1 })
    expect(bench.now, 'nobody waited').to.equal(0)
    expect(bench.done).to.include('exhume 1').and.to.not.include('send 1')
  })

  it('reads each log once for all letters of a partition, from where the first could stand', async () => {
    const bench = new Bench()
    for (const counter of [1, 2, 3]) bench.bury(counter, { from: { east: 10 - counter, west: 20 } })
    bench.bury(4, { from: { east: 9 } })
    bench.logs.fill('- - - - - - - - - - - - - - - - - - - - v1 2 v3 v4')
    await bench.expectReport({ sent: 3, found: 1 })
    expect(bench.done.filter((text) => text.startsWith('read'))).to.deep.equal(['read 0 from 7', 'read 1 from 0'])
  })

  it('asks about every letter, also of what was said not to be written: a journal may have brought it there', async () => {
    const bench = new Bench().bury(1, { outcome: 'not-written' })
    bench.logs[1] = '1 v1'
    bench.logs[0] = 'v1'
    await bench.expectReport({ found: 1 })
  })

  it('leaves a letter as it is when a cluster does not say in time', async () => {
    const away = new Bench().bury(1)
    away.logs.fill('v1')
    away.partitions[1] = undefined
    await away.expectReport({ undecided: 1 })
    expect(away.now).to.equal(5_000)
    expect(away.done).to.not.include('void 1 1').and.to.not.include('send 1')
    const silent = new Bench().bury(1)
    silent.logs.fill('v1')
    silent.voids[1] = undefined
    await silent.expectReport({ undecided: 1 })
    expect(silent.facts).to.deep.equal([{ kind: 'dead-letter-left', reason: 'undecided', count: 1 }])
  })

  it('leaves it when a cluster refuses its void, has no such partition, or no longer has the place', async () => {
    const refused = new Bench().bury(1)
    refused.voids[0] = false
    refused.logs[1] = 'v1'
    await refused.expectReport({ undecided: 1 })
    const smaller = new Bench().bury(1, { partition: 1 })
    await smaller.expectReport({ undecided: 1 })
    const expired = new Bench().bury(1, { from: { east: 4, west: 4 } })
    expired.logs.fill('v1')
    expired.starts[0] = 5
    expired.starts[1] = 4
    await expired.expectReport({ undecided: 1 })
  })

  it('asks again while there is time: after a failure, and when the log does not show its void yet', async () => {
    const bench = new Bench().bury(1)
    bench.logs.fill('v1')
    bench.failing = 3
    await bench.expectReport({ sent: 1 })
    expect(
      bench.done.filter((text) => text === 'void 0 1'),
      'one void is enough',
    ).to.have.length(1)
    const behind = new Bench().bury(1)
    behind.logs[0] = 'v1'
    await behind.expectReport({ undecided: 1 })
    expect(behind.done.filter((text) => text === 'read 1 from 0').length).to.be.within(4, 6)
  })

  it('does not ask about what a lane may still write, and believes it when that says what became of it', async () => {
    const bench = new Bench().bury(1).bury(2)
    bench.here = ({ position }) => (position.counter === 1 ? 'waits' : 'acknowledged')
    await bench.expectReport({ pending: 1, found: 1 })
    expect(bench.done).to.deep.equal(['exhume 2', 'exhumed'])
  })

  it('tells what was rejected again from what was not stamped, and keeps the letters of both', async () => {
    for (const [sends, count] of [
      ['failed', 'failed'],
      ['kept', 'pending'],
    ] as const) {
      const bench = new Bench().bury(1)
      bench.logs.fill('v1')
      bench.sends = sends
      await bench.expectReport({ [count]: 1 })
      expect(bench.done).to.not.include('exhume 1')
    }
  })

  it('keeps a letter that the disk does not let go, and passes over one that cannot be read', async () => {
    const bench = new Bench().bury(1)
    bench.logs.fill('v1')
    bench.exhumes = false
    bench.letters.push({ name: '9', damaged: 'its checksum is wrong' })
    await bench.expectReport({ pending: 1, damaged: 1 })
  })

  it('begins nothing more when its time is over, and waits for no send', async () => {
    const bench = new Bench()
    for (const counter of [1, 2, 3, 4]) bench.bury(counter)
    bench.logs.fill('v1 v2 v3 v4')
    bench.sends = 'never'
    await bench.expectReport({ pending: 4 }, 1_000)
    expect(bench.done.filter((text) => text.startsWith('send'))).to.deep.equal(['send 1', 'send 2'])
    expect(bench.now).to.equal(1_000)
  })

  it('takes a stamp that cannot be read for none', async () => {
    const bench = new Bench().bury(1)
    bench.logs.fill('1:d:hostile v1')
    await bench.expectReport({ sent: 1 })
  })
})
