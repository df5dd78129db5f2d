import type { Checker } from './checker.js'

/** I1: every message whose `send()` resolved was delivered to every group. */
export const noLoss: Checker = {
  promise: 'I1 no loss',
  check({ world, groups }) {
    for (const groupId of groups) {
      const seen = new Set(world.seen.filter((one) => one.groupId === groupId).map(({ text }) => text))
      const lost = world.sent.filter(({ receipt, text }) => receipt !== undefined && !seen.has(text))
      if (lost.length > 0) return `${lost.length} acknowledged and not delivered to ${groupId}, first ${lost[0]!.text}`
    }
    return undefined
  },
}
