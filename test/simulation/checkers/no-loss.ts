import type { Checker } from './checker.js'
import type { ConsumerLife } from './history.js'

/** I1: every message whose `send()` resolved was delivered to every group, unless every log that had it has lost it. */
export const noLoss: Checker = {
  promise: 'I1 no loss',
  check({ messages, lives, groups, vanished }) {
    return groups.flatMap((groupId) => {
      const given = givenTo(groupId, lives)
      return messages
        .filter(({ answer, text }) => answer === 'acknowledged' && !given.has(text) && vanished?.has(text) !== true)
        .map(({ text }) => `${text} was acknowledged and is not delivered to ${groupId}`)
    })
  },
}

/** What a group was given, by whichever of its processes. */
export function givenTo(groupId: string, lives: readonly ConsumerLife[]): Set<string> {
  const given = new Set<string>()
  for (const life of lives) if (life.groupId === groupId) for (const { text } of life.deliveries) given.add(text)
  return given
}
