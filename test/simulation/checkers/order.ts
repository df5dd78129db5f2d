import type { Checker } from './checker.js'

/**
 * I3: within one lease of one life of a consumer, what is not late comes in the order in which one life of a producer
 * sent the messages of one stream, but for those that were imported, which are new ones. Nothing comes late if both logs
 * could be read all the time; nor does anything with `order: 'strict'`, but for what somebody wrote who was taken for
 * dead, for streams of which an operator had something skipped, and for what comes again because the store forgot it.
 */
export const order: Checker = {
  promise: 'I3 order',
  check({ lives, messages, nothingIsLate, strict, groups, storeTroubles, takings = [] }) {
    const sent = new Map(messages.map((message) => [message.text, message]))
    const wrong: string[] = []
    /** When each group was given what for the first time. */
    const given = new Map(groups.map((groupId) => [groupId, new Map<string, number>()]))
    for (const { deliveries, groupId } of lives) {
      const first = given.get(groupId)!
      for (const { text, atMs } of deliveries) first.set(text, Math.min(first.get(text) ?? Infinity, atMs))
    }
    for (const { name, deliveries, groupId } of lives) {
      const last = new Map<string, { number: number; text: string }>()
      for (const { text, fence, late, redelivered, atMs } of deliveries) {
        const message = sent.get(text)
        if (late && nothingIsLate === true) wrong.push(`${text} came late to ${name}, and nothing had delayed it`)
        if (late && message !== undefined && strict !== undefined && groupId !== groups[2]) {
          const stream = `${message.keyRange}/${message.producerId}`
          const skipped = strict.skips.some((skip) => {
            return skip.groupId === groupId && skip.stream === stream && skip.atMs <= atMs
          })
          const givenAtMs = given.get(groupId)!.get(text)!
          const takenAtMs = takings.find((one) => one.groupId === groupId && one.fence === fence)?.atMs ?? -Infinity
          // Not to one that has held it since before that.
          const again = storeTroubles.some(({ fromMs, forgotSinceMs }) => {
            return forgotSinceMs < Infinity && givenAtMs < fromMs && fromMs < takenAtMs
          })
          if (!skipped && !again && !strict.lateWritten.has(text))
            wrong.push(`${text} came late to ${name}, which is strict`)
        }
        if (late || redelivered || message === undefined || message.imported === true) continue
        const stream = `${fence}/${message.producerId}/${message.life}/${message.keyRange}`
        const before = last.get(stream)
        if (before !== undefined && before.number > message.number) {
          wrong.push(`${text} came to ${name} after ${before.text}, and was not late`)
        } else last.set(stream, { number: message.number, text })
      }
    }
    return wrong
  },
}
