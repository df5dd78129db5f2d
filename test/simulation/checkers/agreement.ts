import type { Checker } from './checker.js'
import { givenTo } from './no-loss.js'

/** I7: all groups were given the same set of messages. */
export const agreement: Checker = {
  promise: 'I7 agreement',
  check({ lives, groups, rested }) {
    if (!rested) return [] // told by liveness
    const given = new Map(groups.map((groupId) => [groupId, givenTo(groupId, lives)]))
    const wrong: string[] = []
    for (const text of new Set([...given.values()].flatMap((set) => [...set]))) {
      const without = groups.filter((groupId) => !given.get(groupId)!.has(text))
      if (without.length > 0) wrong.push(`${text} was delivered, but not to ${without.join(' and ')}`)
    }
    return wrong
  },
}
