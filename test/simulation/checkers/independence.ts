import type { Checker } from './checker.js'
import { tenuresOf } from './tenures.js'

/**
 * I5: where one cluster suffers and nobody else, each `send()` resolves and each message is delivered as if there was
 * but the other one; except that a sequence may take its time to begin, and so may who is given a partition.
 */
export const independence: Checker = {
  promise: 'I5 independence',
  check(history) {
    const { messages, carriesOn } = history
    if (carriesOn === undefined) return []
    const { sendMsMax, deliverMsMax, beginMsMax } = carriesOn
    const wrong: string[] = []
    const begun = new Map<string, number>()
    const dueAtMs = new Map<string, number>()
    for (const { text, producerId, life, keyRange, sentAtMs, answer, answeredAtMs } of messages) {
      if (answer !== 'acknowledged') wrong.push(`${text} is ${answer}, and one cluster was well all the time`)
      else if (answeredAtMs! - sentAtMs > sendMsMax)
        wrong.push(`${text} took ${answeredAtMs! - sentAtMs} ms to be acknowledged`)
      const sequence = `${producerId}/${life}/${keyRange}`
      const begunAtMs = begun.get(sequence) ?? sentAtMs
      begun.set(sequence, begunAtMs)
      dueAtMs.set(text, Math.max(sentAtMs, begunAtMs + beginMsMax) + deliverMsMax)
    }
    for (const { name, deliveries, fromMs } of tenuresOf(history)) {
      for (const { text, atMs } of deliveries) {
        const due = Math.max(dueAtMs.get(text) ?? Infinity, fromMs + beginMsMax + deliverMsMax)
        if (atMs > due) wrong.push(`${text} was given to ${name} ${atMs - due} ms too late`)
      }
    }
    return wrong
  },
}
