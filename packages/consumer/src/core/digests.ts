/**
 * Whether the two logs hold the same bytes under one position, as far as a ring of recent digests remembers (rule 9).
 *
 * A slot is found by sequence and counter, and the newest claim to it wins: bounded, and no search.
 */
export class Digests {
  readonly #sequences = new Uint32Array(SLOTS)
  readonly #counters = new Float64Array(SLOTS)
  readonly #digests = new Uint32Array(SLOTS)

  /** @returns false if another digest was noted for this position. */
  agrees(sequence: number, counter: number, digest: number): boolean {
    const slot = (Math.imul(sequence, 0x9e3779b1) + counter) & (SLOTS - 1)
    if (this.#counters[slot] === counter && this.#sequences[slot] === sequence) return this.#digests[slot] === digest
    this.#sequences[slot] = sequence
    this.#counters[slot] = counter
    this.#digests[slot] = digest
    return true
  }
}

/** 64 KiB a partition; the feeds of one partition are seldom further apart while both are live. */
const SLOTS = 4_096
