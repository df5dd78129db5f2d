import { Arbiter, type FeedIndex } from '@tandem/consumer/internal'
import { expect } from 'chai'

import { ARBITER_OPTIONS, interleavings, logsUpTo, SILENCE_MS } from './enumerate.js'

/**
 * Every pair of logs of up to three records, data and void, counters 1 to 3, in every interleaving, read at once or
 * with one long silence at any point. What is delivered must be a function of the logs alone (I7): a counter is
 * delivered, once, if in some log its data comes before its void (rule 1). What is not late must be in order (I3).
 * Nothing may pin an offset: once all is acknowledged and every hole is gone past, both feeds resume at their ends.
 */
interface Entry {
  readonly counter: number
  readonly isVoid: boolean
}

const ALPHABET: readonly Entry[] = [1, 2, 3].flatMap((counter) => [
  { counter, isVoid: false },
  { counter, isVoid: true },
])

function expected(logs: readonly [Entry[], Entry[]]): number[] {
  return [1, 2, 3].filter((counter) =>
    logs.some((log) => log.find((entry) => entry.counter === counter)?.isVoid === false),
  )
}

interface Run {
  readonly delivered: number[]
  readonly inOrder: number[]
  readonly resumed: boolean
}

function run(logs: readonly [Entry[], Entry[]], order: readonly FeedIndex[], silenceAt: number): Run {
  const arbiter = new Arbiter<null>(ARBITER_OPTIONS, 0)
  const read: [number, number] = [0, 0]
  const delivered: number[] = []
  const inOrder: number[] = []
  let time = 0
  const drain = (): void => {
    for (let command = arbiter.poll(time); command !== undefined; command = arbiter.poll(time)) {
      if (command.kind === 'deliver') {
        delivered.push(command.first)
        if (!command.late) inOrder.push(command.first)
        arbiter.handleFinished(command, command.first, command.last)
      } else if (command.kind === 'ask-end') {
        arbiter.handleEnd({ feed: command.feed, step: command.step, low: 0, high: logs[command.feed].length }, time)
      }
    }
  }
  const wait = (ms: number): void => {
    const until = time + ms
    for (let at = arbiter.deadline(); at <= until; at = arbiter.deadline()) {
      time = Math.max(time, at)
      arbiter.handleDeadline(time)
      drain()
    }
    time = until
  }
  for (const feed of [0, 1] as const) arbiter.handleAssigned(feed, 0)
  order.forEach((feed, index) => {
    if (index === silenceAt) wait(SILENCE_MS)
    const offset = read[feed]++
    const { counter, isVoid } = logs[feed][offset]!
    const stamp = { ...SEQUENCE, kind: isVoid ? ('void' as const) : ('data' as const), first: counter, count: 1 }
    arbiter.handleRecord({ feed, offset, stamp, bytes: 1, digest: counter, record: null }, time)
    drain()
  })
  wait(SILENCE_MS)
  arbiter.takeChanged()
  const resumed = arbiter.resumeOffset(0) === logs[0].length && arbiter.resumeOffset(1) === logs[1].length
  return { delivered, inOrder, resumed }
}

const SEQUENCE = { producerId: 'p', epoch: 1, incarnation: 1, keyRange: 0 }

describe('all small cases of the arbiter', function () {
  this.timeout(0)

  it('two logs of up to three records deliver the same in every interleaving', () => {
    const logs = logsUpTo(3, ALPHABET)
    let cases = 0
    for (const east of logs) {
      for (const west of logs) {
        const wanted = expected([east, west]).join(' ')
        for (const order of interleavings(east.length, west.length)) {
          // One silence, at a place that differs from case to case; at the end there always is one.
          const silenceAt = cases++ % (order.length + 1)
          const { delivered, inOrder, resumed } = run([east, west], order, silenceAt)
          const sorted = [...delivered].sort((a, b) => a - b).join(' ')
          const ascending = inOrder.every((counter, index) => index === 0 || counter > inOrder[index - 1]!)
          if (sorted === wanted && ascending && resumed) continue
          expect.fail(
            `east ${show(east)}, west ${show(west)}, read ${order.join('')}, silence before ${silenceAt}: ` +
              `delivered ${delivered.join(' ')} (wanted ${wanted}), in order ${inOrder.join(' ')}, resumed ${resumed}`,
          )
        }
      }
    }
    console.log(`      ${cases} cases`)
  })
})

function show(log: readonly Entry[]): string {
  return `[${log.map(({ counter, isVoid }) => `${isVoid ? 'v' : ''}${counter}`).join(' ')}]`
}
