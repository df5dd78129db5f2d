/**
 * A bug put in on purpose: a small edit of the built code. The simulator has to find it, or it would not find the same
 * bug if one of us had made it.
 */
export interface Mutant {
  readonly name: string
  /** The row of the tables of scenarios in docs that stands against the same bug. */
  readonly scenario: string
  /** What the bug is, in the words of the protocol. */
  readonly meaning: string
  /** One that found it last, if it is known: it is looked at first. */
  readonly seed?: number
  readonly edits: readonly Edit[]
}

export interface Edit {
  /** Under packages/, of the build. */
  readonly file: string
  /** Occurs there exactly once. */
  readonly text: string
  readonly replacement: string
}
