import type { Checker } from './checker.js'
import { givenTo } from './no-loss.js'

/**
 * Where effects stand in one database with the position: each message that was acknowledged has its effect once, whatever
 * died, unless it can never be handled; and whoever takes a partition is not given again what is booked.
 */
export const exactlyOnce: Checker = {
  promise: 'exactly once',
  check({ booked, lives, messages, takings = [], rested, vanished }) {
    if (booked === undefined) return []
    const wrong: string[] = []
    const effects = new Map<string, number>()
    for (const { text, atMs } of booked) {
      if (effects.has(text)) wrong.push(`${text} has its effect twice`)
      effects.set(text, atMs)
    }
    const groups = new Set(booked.map(({ groupId }) => groupId))
    for (const { groupId, name, deliveries, service } of lives) {
      if (!groups.has(groupId)) continue
      for (const { text, fence } of deliveries) {
        const taken = takings.find((taking) => taking.groupId === groupId && taking.fence === fence)
        const since = effects.get(text)
        if (taken === undefined || since === undefined || taken.atMs <= since) continue
        wrong.push(`${text} came again to ${name}, which took its partition when it was booked`)
      }
      for (const text of service?.letters ?? [])
        if (effects.has(text)) wrong.push(`${text} has its effect, and is given up`)
    }
    if (!rested) return wrong
    for (const groupId of groups) {
      const poisoned = lives.find((life) => life.groupId === groupId)!.service!.poisoned
      const given = givenTo(groupId, lives)
      for (const { text, answer } of messages) {
        if (answer !== 'acknowledged' || poisoned(text) || vanished?.has(text) === true) continue
        if (given.has(text) && !effects.has(text)) wrong.push(`${text} was given to ${groupId} and has no effect`)
      }
    }
    return wrong
  },
}
