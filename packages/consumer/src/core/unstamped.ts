/**
 * Records without a stamp, counted by where they stand: those of one log are a stream of their own, and a record at offset
 * n is its n + 1. What stands between them has a stamp, and is nothing of theirs.
 *
 * Its name is none that a producer may have.
 */
export function unstampedStream(cluster: string): { readonly keyRange: number; readonly producerId: string } {
  return { keyRange: 0, producerId: `${MARK}${cluster}` }
}

export function isUnstamped(producerId: string): boolean {
  return producerId.startsWith(MARK)
}

const MARK = ':'
