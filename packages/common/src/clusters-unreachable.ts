import { ClustersUnreachableError } from './errors.js'

/** Neither cluster was there in time at the start. @param reasons of each, as far as one is known. */
export function clustersUnreachable(
  clusters: readonly string[],
  reasons: readonly (string | undefined)[],
  timeoutMs: number,
): ClustersUnreachableError {
  const said = clusters.map((cluster, index) => [cluster, reasons[index] ?? 'no answer'] as const)
  const text = said.map((each) => each.join(': ')).join('; ')
  return new ClustersUnreachableError(`neither cluster was ready within ${timeoutMs} ms (${text})`, {
    clusters: Object.fromEntries(said),
    timeoutMs,
  })
}
