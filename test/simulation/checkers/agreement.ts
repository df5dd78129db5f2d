import type { Checker } from './checker.js'
import { givenTo } from './no-loss.js'

/** I7: all groups were given the same set of messages, but for what a damaged log showed to one of them only. */
export const agreement: Checker = {
  promise: 'I7 agreement',
  check({ lives, groups, rested, vanished, blurred }) {
    if (!rested) return [] // told by liveness
    const given = new Map(groups.map((groupId) => [groupId, givenTo(groupId, lives)]))
    const wrong: string[] = []
    for (const text of new Set([...given.values()].flatMap((set) => [...set]))) {
      if (vanished?.has(text) === true || blurred?.has(text) === true) continue
      const without = groups.filter((groupId) => !given.get(groupId)!.has(text))
      if (without.length > 0) wrong.push(`${text} was delivered, but not to ${without.join(' and ')}`)
    }
    return wrong
  },
}
