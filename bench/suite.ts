import type { Timeline } from './timeline.js'

/** What one run of one subject gave, by unit. */
export type Figures = Readonly<Record<string, number>>

/** Units that more than one suite has. */
export const RATE = 'messages/s'
export const CPU = 'CPU µs/message'
export const MEMORY = 'MB'

/** Two subjects are compared by one of their units; or one of them with a figure that is to be reached, or kept. */
export interface Comparison {
  readonly name: string
  readonly over: string | number
  readonly under: string | number
  readonly unit: string
  /** From where on it is good; left out where nobody has said so. */
  readonly reach?: number
}

export interface Suite {
  readonly name: string
  readonly about: string
  rounds(quick: boolean): number
  subjects(quick: boolean): readonly string[]
  readonly comparisons: readonly Comparison[]
  open(quick: boolean): Promise<Stage>
}

/** Servers are up, subjects can be measured. */
export interface Stage extends AsyncDisposable {
  readonly versions: Readonly<Record<string, string>>
  /** @throws if the subject did not do what is measured: then nothing is known of it. */
  measure(subject: string): Promise<Figures>
  /** How each run went that was measured until now, of a suite whose runs have a course worth seeing. */
  timelines?(): readonly Timeline[]
}
