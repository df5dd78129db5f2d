import type { Checker } from './checker.js'

/** I7: all groups were given the same set of messages. */
export const agreement: Checker = {
  promise: 'I7 agreement',
  check({ world, groups, rested }) {
    if (!rested) return undefined // told by liveness
    const sets = groups.map(
      (groupId) => new Set(world.seen.filter((one) => one.groupId === groupId).map(({ text }) => text)),
    )
    for (const [index, set] of sets.entries()) {
      for (const other of sets) {
        for (const text of set) if (!other.has(text)) return `${text} was delivered to ${groups[index]} alone`
      }
    }
    return undefined
  },
}
