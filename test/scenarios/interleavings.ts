import type { Prng } from '../simulation/prng.js'

/** Which log's next record arrives: one step each. */
export type Step = 'A' | 'B'

/** How many orders there are in which `a` records of one log and `b` of another can arrive. */
export function countInterleavings(a: number, b: number): number {
  let count = 1
  for (let i = 1; i <= a; i++) count = (count * (b + i)) / i
  return count
}

/** All of them, each once. */
export function* interleavings(a: number, b: number): Generator<readonly Step[]> {
  if (a === 0 && b === 0) yield []
  if (a > 0) for (const rest of interleavings(a - 1, b)) yield ['A', ...rest]
  if (b > 0) for (const rest of interleavings(a, b - 1)) yield ['B', ...rest]
}

/** One of them, each as likely as any other. */
export function drawInterleaving(a: number, b: number, prng: Prng): Step[] {
  const steps: Step[] = []
  while (a + b > 0) {
    const step = prng.below(a + b) < a ? 'A' : 'B'
    if (step === 'A') a--
    else b--
    steps.push(step)
  }
  return steps
}
