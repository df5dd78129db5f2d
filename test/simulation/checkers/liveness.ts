import type { Checker } from './checker.js'

/** I8: once faults stop, every send has an answer and everything acknowledged is delivered, in bounded time. */
export const liveness: Checker = {
  promise: 'I8 liveness',
  check({ world, rested, groups }) {
    if (rested) return undefined
    const open = world.sent.filter((sent) => sent.closedAtMs === undefined && sent.producer.process.state !== 'dead')
    if (open.length > 0) return `${open.length} sends have no answer, first ${open[0]!.text}`
    const missing = groups.map((groupId) => {
      const seen = new Set(world.seen.filter((one) => one.groupId === groupId).map(({ text }) => text))
      return world.sent.filter(({ receipt, text }) => receipt !== undefined && !seen.has(text)).length
    })
    return `after the time that I8 gives, ${missing.join(' and ')} are still to be delivered`
  },
}
