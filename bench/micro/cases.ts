/** The cores by themselves, without I/O: each case does something a number of times that it is given. */
import { decodeFrame, decodeStamp, encodeFrame, Intervals, StampEncoder, type Stamp } from '@tandem/common/internal'
import { Arbiter } from '@tandem/consumer/internal'

export type CaseName = keyof typeof CASES

/** Does as many operations as it says. */
type Case = () => { readonly operations: number; readonly run: () => void }

export const CASES = {
  /** A stamp as the producer writes it: what its sequence has in common with the one before is kept. */
  'stamp-encode': () => {
    const encoder = new StampEncoder(SEQUENCE)
    let counter = 1
    return repeated(100_000, () => encoder.encode('data', counter++, 1))
  },
  'stamp-decode': () => {
    const encoder = new StampEncoder(SEQUENCE)
    const stamps = Array.from({ length: 1_000 }, (_, index) => Buffer.from(encoder.encode('data', index + 1, 1)))
    return repeated(100_000, (index) => decodeStamp(stamps[index % 1_000]!))
  },
  /** Messages of frames of 250 with 200 B each; an operation is a message. */
  'frame-encode': () => ({ operations: 100 * FRAME.length, run: () => times(100, () => encodeFrame(FRAME)) }),
  'frame-decode': () => {
    const bytes = encodeFrame(FRAME)
    return { operations: 100 * FRAME.length, run: () => times(100, () => decodeFrame(bytes, FRAME.length)) }
  },
  /** Records of both logs, one of each in turn: the first copy is delivered and finished, the second dropped. */
  'arbiter-records': () => arbiterCase(1),
  /** The same with frames of 250: one decision each, if nothing of it is in the way. */
  'arbiter-frames': () => arbiterCase(FRAME.length),
  /** One counter after the other. */
  'intervals-in-order': () => {
    const set = new Intervals()
    let counter = 1
    return repeated(100_000, () => {
      set.add(counter, counter)
      counter++
    })
  },
  /** As acknowledgements come when 1,000 are open: each finds its place among 500 intervals. */
  'intervals-scattered': () => {
    const set = new Intervals()
    let base = 1
    const order = Array.from({ length: 1_000 }, (_, index) => (index * 387) % 1_000)
    return {
      operations: 100_000,
      run: () => {
        times(100, () => {
          for (const place of order) set.add(base + place, base + place)
          base += 1_000
        })
      },
    }
  },
} satisfies Record<string, Case>

function arbiterCase(perRecord: number): ReturnType<Case> {
  const arbiter = new Arbiter<null>(OPTIONS, 0)
  for (const feed of FEEDS) arbiter.handleAssigned(feed, { offset: 0 })
  let first = 1
  let offset = 0
  let time = 0
  const records = 20_000
  const drain = (): void => {
    for (let command = arbiter.poll(time); command !== undefined; command = arbiter.poll(time)) {
      if (command.kind === 'deliver') arbiter.handleFinished(command, command.first, command.last)
    }
  }
  return {
    operations: 2 * records,
    run: () => {
      times(records, () => {
        const stamp: Stamp = { kind: perRecord === 1 ? 'data' : 'frame', ...SEQUENCE, first, count: perRecord }
        for (const feed of FEEDS) {
          arbiter.handleRecord(
            {
              feed,
              offset,
              stamp,
              bytes: 200 * perRecord,
              digest: first,
              wholeDigest: first,
              wallMs: time,
              record: null,
            },
            time,
          )
          drain()
        }
        first += perRecord
        offset++
        time += 0.01
      })
      arbiter.takeChanged() // as a flush does now and then
    },
  }
}

function repeated(operations: number, operation: (index: number) => unknown): ReturnType<Case> {
  return { operations, run: () => times(operations, operation) }
}

function times(count: number, task: (index: number) => unknown): void {
  for (let index = 0; index < count; index++) task(index)
}

const FEEDS = [0, 1] as const
const SEQUENCE = { producerId: 'ledger', epoch: 1_732_290_000_000, incarnation: 2 ** 32 - 1, keyRange: 17 }
const FRAME = Array.from({ length: 250 }, (_, index) => ({
  key: Buffer.from(`acct-${index}`),
  value: Buffer.alloc(200, 'x'),
  timestampMs: 1_732_290_000_000,
  headers: [],
}))
const OPTIONS = {
  topic: 'entries',
  partition: 0,
  clusters: ['east', 'west'],
  order: 'late',
  gapTimeoutMs: 5_000,
  holeTimeoutMs: 60_000,
  feedAwayAfterMs: 10_000,
  heldMessagesMax: 10_000,
  heldBytesMax: 64 * 2 ** 20,
  intervalsMax: 100_000,
  from: 'earliest',
} as const
