import type { Figures } from './suite.js'

/** By subject and unit, one value per round. */
export type Measured = ReadonlyMap<string, Readonly<Record<string, readonly number[]>>>

/**
 * Measures every subject once a round. Each round begins with another one, so that none is always the first: what a
 * machine does over minutes (heat, page cache, neighbours) meets all alike.
 */
export async function playRounds(
  { subjects, rounds }: { readonly subjects: readonly string[]; readonly rounds: number },
  measure: (subject: string) => Promise<Figures>,
  told: (round: number, subject: string, figures: Figures) => void,
): Promise<Measured> {
  const measured = new Map<string, Record<string, number[]>>(subjects.map((subject) => [subject, {}]))
  for (let round = 0; round < rounds; round++) {
    const first = round % subjects.length
    for (const subject of [...subjects.slice(first), ...subjects.slice(0, first)]) {
      const figures = await measure(subject)
      const values = measured.get(subject)!
      for (const [unit, value] of Object.entries(figures)) (values[unit] ??= []).push(value)
      told(round, subject, figures)
    }
  }
  return measured
}
