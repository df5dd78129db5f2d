import type { Position } from '@tandem/common'

/** What a resolved `send()` returns: where the message stands, and who had it by then. */
export interface Receipt {
  readonly position: Position
  readonly keyRange: number
  readonly partition: number
  /** Per cluster: where its log holds the message; undefined if it did not say so (yet). */
  readonly clusters: Copies
  /**
   * Resolves when the fate of the second copy is known too: written, or given up there for good (undefined). It waits
   * as long as that takes, or until the producer is closed.
   */
  settled(): Promise<Receipt>
}

export interface Copies {
  readonly [cluster: string]: { readonly offset: number } | undefined
}
