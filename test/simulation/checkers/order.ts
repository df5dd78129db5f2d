import type { Checker } from './checker.js'

/**
 * I3: within one life of a consumer, what is not late comes in the order in which one life of a producer sent the
 * messages of one key.
 */
export const order: Checker = {
  promise: 'I3 order',
  check({ lives, truths }) {
    for (const { consumer } of lives) {
      const last = new Map<string, { number: number; text: string }>()
      for (const { text, late, redelivered } of consumer.deliveries) {
        if (late || redelivered) continue
        const truth = truths.get(text)!
        const stream = `${truth.producerId}/${truth.life}/${truth.key}`
        const before = last.get(stream)
        if (before !== undefined && before.number > truth.number) {
          return `${text} came after ${before.text} at ${consumer.process.name}, and was not late`
        }
        last.set(stream, { number: truth.number, text })
      }
    }
    return undefined
  },
}
