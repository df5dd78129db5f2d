import type { Checker } from './checker.js'

/** I6: what comes late is told of, one for one; and nothing is said to be owed where nothing can be missing. */
export const neverSilent: Checker = {
  promise: 'I6 never silent',
  check({ lives, nothingIsLate }) {
    return lives.flatMap(({ name, deliveries, lateTold, owedTold }) => {
      const wrong: string[] = []
      const late = deliveries.filter((one) => one.late && !one.redelivered).length
      if (lateTold !== undefined && lateTold < late)
        wrong.push(`${name} was given ${late} late and told of ${lateTold}`)
      if (nothingIsLate === true && owedTold !== undefined && owedTold > 0) {
        wrong.push(`${name} told that ${owedTold} are owed, and nothing was missing in either log`)
      }
      return wrong
    })
  },
}
