import type { Checker } from './checker.js'
import type { History, SentMessage, StoreTrouble } from './history.js'

/**
 * docs/position.md, Leases: of a partition nothing begins under a lease once something has begun under a greater one,
 * neither a delivery nor a handler. Only a store that forgets may give a second lease while the first one is trusted.
 */
export const oneHolder: Checker = {
  promise: 'one holder',
  check(history) {
    const { groups, messages, storeTroubles } = history
    const sent = new Map(messages.map((message) => [message.text, message]))
    return groups.flatMap((groupId) => {
      const greatest = new Map<number, Begun>()
      const wrong: string[] = []
      for (const begun of begunIn(history, groupId, sent)) {
        const before = greatest.get(begun.keyRange)
        if (before === undefined || begun.fence >= before.fence || forgot(before, begun, storeTroubles)) {
          greatest.set(begun.keyRange, begun)
        } else if (before.atMs < begun.atMs) {
          wrong.push(`${begun.what} under lease ${begun.fence}, and ${before.what} before, under ${before.fence}`)
        }
      }
      return wrong
    })
  },
}

interface Begun {
  readonly keyRange: number
  readonly fence: number
  readonly atMs: number
  readonly what: string
}

/** In the order of their times. */
function begunIn({ lives }: History, groupId: string, sent: ReadonlyMap<string, SentMessage>): Begun[] {
  const all: Begun[] = []
  for (const { name, deliveries, service, groupId: group } of lives) {
    if (group !== groupId) continue
    const begin = (text: string, fence: number | undefined, atMs: number, what: string): void => {
      const keyRange = sent.get(text)?.keyRange
      if (fence === undefined || keyRange === undefined) return
      all.push({ keyRange, fence, atMs, what: `${name} ${what} ${text} at ${atMs}` })
    }
    for (const { text, fence, atMs } of deliveries) begin(text, fence, atMs, 'was given')
    for (const { text, fence, fromMs } of service?.handled ?? []) begin(text, fence, fromMs, 'began to handle')
  }
  return all.sort((a, b) => a.atMs - b.atMs)
}

/** Between the two, or so shortly before that the one did not need to know yet of the other. */
function forgot(before: Begun, begun: Begun, troubles: readonly StoreTrouble[]): boolean {
  return troubles.some(({ fromMs, forgotSinceMs }) => {
    return forgotSinceMs < Infinity && before.atMs - LEASES_MS <= fromMs && fromMs <= begun.atMs
  })
}

/** A lease to take what was forgotten, and one to notice that somebody has. */
const LEASES_MS = 2 * 10_000
