import type { Checker } from './checker.js'

/** I4: nothing grows beyond what its configuration says. */
export const bounded: Checker = {
  promise: 'I4 bounded',
  check({ peaks = [] }) {
    return peaks
      .filter(({ peak, allowed }) => peak > allowed)
      .map(({ what, peak, allowed }) => `${what}: ${peak} where ${allowed} are allowed`)
  },
}
