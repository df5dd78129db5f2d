import { streamKey, type Stamp } from '@tandem/common/internal'

/**
 * The rule that one thinks of first, and that loses messages: per stream the highest position seen, and whatever stands
 * at or below it is taken for a duplicate.
 *
 * Kept for comparison only. Where one log misses a message that the other has, the next one of the first log raises the
 * mark above it, and the copy that exists is dropped (docs/protocol.md says who lost messages by it).
 */
export class NaiveArbiter {
  readonly #highest = new Map<string, { epoch: number; counter: number }>()
  /** Messages that it took for duplicates, whatever they were. */
  dropped = 0

  /** Whether a record is delivered; a void carries nothing. */
  accepts(stamp: Stamp): boolean {
    if (stamp.kind === 'void') return false
    const last = stamp.first + stamp.count - 1
    const key = streamKey(stamp)
    const highest = this.#highest.get(key)
    const newer =
      highest === undefined ||
      stamp.epoch > highest.epoch ||
      (stamp.epoch === highest.epoch && stamp.first > highest.counter)
    if (newer) this.#highest.set(key, { epoch: stamp.epoch, counter: last })
    else this.dropped += stamp.count
    return newer
  }
}
