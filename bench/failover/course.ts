import { RATE } from '../suite.js'
import { perSecond, type Buckets, type Timeline } from '../timeline.js'
import { sortOut, type Evidence } from './verdict.js'

/** How a run went around the kill. */
export function courseOf(
  { acknowledged, taken, killedAtMs }: Pick<Evidence, 'acknowledged' | 'taken' | 'killedAtMs'>,
  { beforeMs, afterMs }: { readonly beforeMs: number; readonly afterMs: number },
): Pick<Timeline, 'bucketMs' | 'phases' | 'series'> {
  const lengthMs = beforeMs + afterMs
  const buckets: Buckets = {
    fromMs: killedAtMs - beforeMs,
    count: Math.ceil(lengthMs / BUCKET_MS),
    bucketMs: BUCKET_MS,
  }
  const { fresh, repeated } = sortOut(taken)
  const kinds = Object.entries({ acknowledged, taken: fresh, 'taken again': repeated })
  return {
    bucketMs: BUCKET_MS,
    phases: [
      { name: 'both clusters', fromMs: 0, toMs: beforeMs },
      { name: 'one killed', fromMs: beforeMs, toMs: lengthMs },
    ],
    series: kinds.map(([name, sightings]) => {
      const times = sightings.map(({ atMs }) => atMs)
      return { name, unit: RATE, values: perSecond(times, buckets) }
    }),
  }
}

const BUCKET_MS = 250
