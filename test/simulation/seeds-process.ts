import type { Portion, PortionResult } from './seeds.js'
import { simulateSeed } from './simulate.js'

/** A process of `simulateSeeds`: is sent portions, one at a time, and answers each. */
process.on('message', ({ from, count }: Portion) => {
  void simulated(from, count).then((result) => process.send!(result))
})
process.on('disconnect', () => process.exit())

async function simulated(from: number, count: number): Promise<PortionResult> {
  const results: PortionResult[number][] = []
  for (let seed = from; seed < from + count; seed++) {
    try {
      results.push(await simulateSeed(seed))
    } catch (error) {
      results.push({ thrown: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  }
  return results
}
