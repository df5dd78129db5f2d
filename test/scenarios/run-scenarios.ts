import type { Pending, Scenario } from './scenario.js'

export interface Played {
  readonly name: string
  readonly passed: boolean
  readonly error: unknown
  readonly ms: number
}

/** Plays one after the other; a story that throws has failed, and the others are played all the same. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  handlePlayed: (played: Played) => void = () => undefined,
): Promise<Played[]> {
  const all: Played[] = []
  for (const { name, play } of scenarios) {
    const begun = performance.now()
    let error: unknown
    try {
      await play()
    } catch (thrown) {
      error = thrown ?? new Error(`${name} threw ${String(thrown)}`)
    }
    const played = { name, passed: error === undefined, error, ms: Math.round(performance.now() - begun) }
    all.push(played)
    handlePlayed(played)
  }
  return all
}

/** Names that are wrong: a row that nobody plays or waits for, one that is named twice, one that the tables lack. */
export function unaccounted(
  rows: readonly string[],
  scenarios: readonly Scenario[],
  pending: readonly Pending[],
): string[] {
  const named = [...scenarios, ...pending].map(({ name }) => name as string)
  return [
    ...rows.filter((row) => !named.includes(row)).map((row) => `${row}: neither played nor pending`),
    ...named.filter((name) => !rows.includes(name)).map((name) => `${name}: no row of the tables`),
    ...named.filter((name, index) => named.indexOf(name) !== index).map((name) => `${name}: named twice`),
  ]
}
