/** What is made of the figures of several rounds. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Of an even number of values, the median is the mean of the two in the middle. */
export function summaryOf(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  const median = (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** The least value that this part of all does not exceed; NaN of none. */
export function percentileOf(sorted: ArrayLike<number>, part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? NaN
}

/**
 * How two subjects compare: the median of the ratios of each round. What disturbs a round disturbs both, so this varies
 * far less than the figures themselves do.
 */
export function ratioOf(over: readonly number[] | number, under: readonly number[] | number): number {
  const rounds = Math.max(...[over, under].map((side) => (typeof side === 'number' ? 1 : side.length)))
  const at = (side: readonly number[] | number, round: number): number =>
    typeof side === 'number' ? side : side[round]!
  return summaryOf(Array.from({ length: rounds }, (_, round) => at(over, round) / at(under, round))).median
}

/** To three digits that mean something. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3))
}
