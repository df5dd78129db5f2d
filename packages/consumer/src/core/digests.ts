/**
 * Whether the two logs hold the same bytes under one position, as far as a ring of recent digests remembers (rule 9).
 *
 * A slot is found by sequence and counter, and the newest claim to it wins: bounded, and no search. Memory is taken part by
 * part, since most partitions of a large topic are quiet.
 */
export class Digests {
  /** Each has sequence, counter and digest of its slots, one after the other. */
  readonly #parts: (Float64Array | undefined)[] = []

  /** @returns false if another digest was noted for this position. */
  agrees(sequence: number, counter: number, digest: number): boolean {
    const slot = (Math.imul(sequence, 0x9e3779b1) + counter) & (SLOTS - 1)
    const part = (this.#parts[Math.floor(slot / PART)] ??= new Float64Array(3 * PART))
    const at = 3 * (slot % PART)
    if (part[at + 1] === counter && part[at] === sequence) return part[at + 2] === digest
    part[at] = sequence
    part[at + 1] = counter
    part[at + 2] = digest
    return true
  }
}

/** 96 KiB of a busy partition; the feeds of one are seldom further apart while both are live. */
const SLOTS = 4_096
const PART = 64
