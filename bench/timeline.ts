/** How one run of one subject went, in buckets of time. */
export interface Timeline {
  readonly subject: string
  /** Counted from 1. */
  readonly round: number
  readonly bucketMs: number
  /** What was done to the servers when; ms since the beginning of the first bucket. */
  readonly phases: readonly Phase[]
  readonly series: readonly Series[]
}

export interface Phase {
  readonly name: string
  readonly fromMs: number
  readonly toMs: number
}

export interface Series {
  readonly name: string
  readonly unit: string
  /** One a bucket; null where there is nothing to tell. */
  readonly values: readonly (number | null)[]
}

export interface Buckets {
  readonly fromMs: number
  readonly count: number
  readonly bucketMs: number
}

/** How often something happened in each bucket, as a rate. What happened before or after them is left out. */
export function perSecond(timesMs: Iterable<number>, { fromMs, count, bucketMs }: Buckets): number[] {
  const counts = new Array<number>(count).fill(0)
  for (const atMs of timesMs) {
    const bucket = Math.floor((atMs - fromMs) / bucketMs)
    if (bucket >= 0 && bucket < count) counts[bucket]!++
  }
  return counts.map((happened) => (happened * 1_000) / bucketMs)
}
