import type { CaseName } from './cases.js'

/** What the process of a case is told to do, and what it answers. */
export interface MicroOrder {
  readonly name: CaseName
  readonly measuredMs: number
}

export interface MicroAnswer {
  readonly operations: number
  readonly ms: number
}
