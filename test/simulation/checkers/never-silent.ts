import type { Checker } from './checker.js'

/** I6: what comes late is told of, one for one, and so is every send that was given up. */
export const neverSilent: Checker = {
  promise: 'I6 never silent',
  check({ lives }) {
    for (const { consumer } of lives) {
      if (consumer.process.state === 'dead') continue // what it had not told yet died with it
      const late = consumer.deliveries.filter((seen) => seen.late && !seen.redelivered).length
      let told = 0
      for (const event of consumer.events) if (event.kind === 'delivered-late') told += event.count
      if (told < late) return `${consumer.process.name} delivered ${late} late and told of ${told}`
    }
    return undefined
  },
}
