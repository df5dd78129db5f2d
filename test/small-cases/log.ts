import type { Stamp } from '@tandem/common/internal'

/**
 * Small logs, and what they say by themselves: the truth that an arbiter is held to, too simple to be wrong.
 *
 * Positions are bits, five to a sequence, so that sets of them are numbers and a million cases are compared quickly.
 */
export interface Entry {
  readonly stamp: Stamp
  /** Number of its sequence among those of the alphabet, oldest first. */
  readonly sequence: number
  readonly isVoid: boolean
  /** The positions that it carries. */
  readonly bits: number
}

export type Log = readonly Entry[]
export type Logs = readonly [east: Log, west: Log]

export const SEQUENCES: readonly { readonly epoch: number; readonly incarnation: number }[] = [
  { epoch: 1, incarnation: 1 },
  { epoch: 2, incarnation: 1 },
  { epoch: 2, incarnation: 2 },
]

/** Data and void of each of these runs of counters, in each of the sequences. */
export function alphabet(sequences: readonly number[], runs: readonly (readonly [number, number])[]): Entry[] {
  return sequences.flatMap((sequence) =>
    runs.flatMap(([first, last]) =>
      [false, true].map((isVoid): Entry => {
        let bits = 0
        for (let counter = first; counter <= last; counter++) bits |= bitOf(sequence, counter)
        const kind = isVoid ? 'void' : first === last ? 'data' : 'frame'
        const stamp = {
          producerId: 'p',
          keyRange: 0,
          ...SEQUENCES[sequence]!,
          first,
          count: last - first + 1,
          kind,
        } as const
        return { stamp, sequence, isVoid, bits }
      }),
    ),
  )
}

export function bitOf(sequence: number, counter: number): number {
  return 1 << (sequence * 5 + counter - 1)
}

/** All positions of a sequence. */
export function bitsOfSequence(sequence: number): number {
  return 31 << (sequence * 5)
}

export function sequenceOf({ epoch, incarnation }: { epoch: number; incarnation: number }): number {
  return SEQUENCES.findIndex((one) => one.epoch === epoch && one.incarnation === incarnation)
}

/** Positions whose first word in this log, or in its first `length` records, is data. */
export function dataOf(log: Log, length = log.length): number {
  let data = 0
  let decided = 0
  for (let i = 0; i < length; i++) {
    const { bits, isVoid } = log[i]!
    if (!isVoid) data |= bits & ~decided
    decided |= bits
  }
  return data
}

/** Positions whose first word in this log is a void. */
export function voidsOf(log: Log, length = log.length): number {
  let all = 0
  for (let i = 0; i < length; i++) all |= log[i]!.bits
  return all & ~dataOf(log, length)
}

/** What every group must be given, whatever it reads when (I1, I7): the first word of some log is data. */
export function held([east, west]: Logs): number {
  return dataOf(east) | dataOf(west)
}

/** What nobody will ever get: the first word of both logs is a void. */
export function rejected([east, west]: Logs): number {
  return voidsOf(east) & voidsOf(west)
}

export function count(bits: number): number {
  let ones = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) ones++
  return ones
}

export function showLog(log: Log): string {
  return `[${log.map(showEntry).join(' ')}]`
}

export function showEntry({ stamp, isVoid }: Entry): string {
  const last = stamp.first + stamp.count - 1
  const run = stamp.count === 1 ? `${stamp.first}` : `${stamp.first}-${last}`
  return `${isVoid ? 'v' : ''}${stamp.epoch}${stamp.incarnation === 1 ? '' : 'b'}:${run}`
}

export function showBits(bits: number): string {
  const names: string[] = []
  SEQUENCES.forEach(({ epoch, incarnation }, sequence) => {
    for (let counter = 1; counter <= 5; counter++) {
      if ((bits & bitOf(sequence, counter)) !== 0) names.push(`${epoch}${incarnation === 1 ? '' : 'b'}:${counter}`)
    }
  })
  return names.length === 0 ? 'nothing' : names.join(' ')
}

/** Whether no position comes twice in a log. */
export function saysOneWord(log: Log): boolean {
  let said = 0
  for (const { bits } of log) {
    if ((said & bits) !== 0) return false
    said |= bits
  }
  return true
}
