import type { RowName } from './rows.js'

/** One row of the protocol's or the position page's table, as a story that passes or throws. */
export interface Scenario {
  readonly name: RowName
  /** The change to the code that makes it fail: what it stands against. */
  readonly against: string
  readonly play: () => Promise<void>
}

/** A row whose feature is not built yet. */
export interface Pending {
  readonly name: RowName
  readonly part: 3 | 4
  readonly reason: string
}
