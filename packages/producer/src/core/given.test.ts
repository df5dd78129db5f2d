/** What the tests of the cores begin with: sequences and sealed records, short to write. */
import { SealedRecord, type Write } from './record.js'
import { Sequencer, type PinnedTopic, type Sequence } from './sequencer.js'

export const IDENTITY = { producerId: 'p', epoch: 7, incarnation: 0 }

export function topic(partitions = 4, keyRanges = partitions, name = 'entries'): PinnedTopic {
  return new Sequencer(IDENTITY).pin({ name, partitions, keyRanges })
}

/** The sequences of the first key ranges of a topic, in order. */
export function sequences(count: number, ofTopic = topic(count)): Sequence[] {
  return Array.from({ length: count }, () => ofTopic.sequenceInTurn())
}

let ordinal = 0

/** The next record of a sequence. */
export function sealed(
  sequence: Sequence,
  { bytes = 100, at = 0, owner }: { bytes?: number; at?: number; owner?: unknown } = {},
): SealedRecord {
  return new SealedRecord({
    sequence,
    ordinal: ordinal++,
    first: sequence.take(1),
    count: 1,
    key: null,
    value: Buffer.from('value'),
    headers: [],
    timestampMs: 1,
    bytes,
    sealedAt: at,
    owner,
  })
}

/** `3` for a record of counter 3, `v4-6` for a void: as the scenarios of the protocol are written. */
export function shown(write: Write | undefined): string {
  if (write === undefined) return 'nothing'
  if (write.kind === 'data') return String(write.first)
  return write.first === write.last ? `v${write.first}` : `v${write.first}-${write.last}`
}
