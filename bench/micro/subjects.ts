import type { Comparison } from '../suite.js'
import { CASES, type CaseName } from './cases.js'

export const OPERATIONS = 'operations/s'

export const SUBJECTS = Object.keys(CASES) as CaseName[]

/** What is to be reached, alone on one core; the others are to be seen from run to run. */
export const COMPARISONS: readonly Comparison[] = [
  { name: 'arbiter, records / 2,000,000/s', over: 'arbiter-records', under: 2_000_000, unit: OPERATIONS, reach: 1 },
]
