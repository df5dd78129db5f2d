import type { Target } from './target.js'

export interface TargetRun {
  readonly name: string
  readonly runs: number
  readonly ms: number
  readonly failure: string | undefined
}

/** Divides `runs` among the targets by their weights; one that fails does not stop the others. */
export async function runTargets(
  targets: readonly Target[],
  { runs, seed }: { readonly runs: number; readonly seed: number },
  handleRun: (run: TargetRun) => void = () => undefined,
): Promise<TargetRun[]> {
  const weights = targets.reduce((sum, { weight }) => sum + weight, 0)
  const all: TargetRun[] = []
  for (const one of targets) {
    const { name, weight } = one
    const begun = performance.now()
    const checked = await one.check({ numRuns: Math.ceil((runs * weight) / weights), seed })
    const run = { name, ...checked, ms: Math.round(performance.now() - begun) }
    all.push(run)
    handleRun(run)
  }
  return all
}
