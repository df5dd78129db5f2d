import type { Checker } from './checker.js'

/** I6: what comes late is told of, one for one; and nothing is said to be owed where nothing can be missing. */
export const neverSilent: Checker = {
  promise: 'I6 never silent',
  check({ lives }) {
    return lives.flatMap(({ name, deliveries, lateTold }) => {
      const late = deliveries.filter((one) => one.late && !one.redelivered).length
      return lateTold === undefined || lateTold >= late
        ? []
        : [`${name} was given ${late} late and told of ${lateTold}`]
    })
  },
}
