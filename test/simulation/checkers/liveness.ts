import type { Checker } from './checker.js'
import { givenTo } from './no-loss.js'

/** I8: once faults are over, every `send()` has an answer and everything acknowledged is delivered, in bounded time. */
export const liveness: Checker = {
  promise: 'I8 liveness',
  check({ messages, lives, groups, rested, vanished }) {
    if (rested) return []
    const open = messages.filter(({ answer }) => answer === 'open').map(({ text }) => `${text} has no answer in time`)
    const missing = groups.flatMap((groupId) => {
      const given = givenTo(groupId, lives)
      return messages
        .filter(({ answer, text }) => answer === 'acknowledged' && !given.has(text) && vanished?.has(text) !== true)
        .map(({ text }) => `${text} is not delivered to ${groupId} in time`)
    })
    const wrong = [...open, ...missing]
    return wrong.length > 0 ? wrong : ['the groups were not given the same in time']
  },
}
