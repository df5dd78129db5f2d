import { decode } from '@msgpack/msgpack'
import { decodeStamp, STAMP_HEADER, type Stamp } from '@tandem/common/internal'

import { numberIn } from '../consume/message-numbers.js'

/** As a bare client has it. */
export interface LogRecord {
  readonly value: Buffer | null
  readonly headers?: readonly Readonly<Record<string, string | Buffer>>[] | undefined
  /** When the broker appended it, by its own clock. */
  readonly timestamp?: number | undefined
}

/** Which message has which counter: of one producer's one life, by key range. Both logs say the same. */
export class Counters {
  readonly #numbers = new Map<number, number[]>()

  set(keyRange: number, counter: number, number: number): void {
    let numbers = this.#numbers.get(keyRange)
    if (numbers === undefined) this.#numbers.set(keyRange, (numbers = []))
    numbers[counter] = number
  }

  numberAt(keyRange: number, counter: number): number | undefined {
    return this.#numbers.get(keyRange)?.[counter]
  }
}

/**
 * What one log holds of a run, message by message, and since when. A message is known by the number in its payload; stamps
 * only tell which messages a void speaks for.
 */
export class LogContents {
  /** By number of message; Infinity where it has none. */
  readonly heldAtMs: Float64Array
  readonly #counters: Counters
  readonly #voids: (Pick<Stamp, 'keyRange' | 'first' | 'count'> & { readonly atMs: number })[] = []

  constructor(messages: number, counters: Counters) {
    this.heldAtMs = new Float64Array(messages).fill(Infinity)
    this.#counters = counters
  }

  handle({ value, headers, timestamp }: LogRecord): void {
    const { kind, keyRange, first, count } = decodeStamp(Buffer.from(headers![0]![STAMP_HEADER]!))
    const atMs = timestamp!
    if (kind === 'void') {
      this.#voids.push({ keyRange, first, count, atMs })
      return
    }
    const values = kind === 'frame' ? valuesOf(value!) : [value!]
    for (const [index, one] of values.entries()) {
      const number = numberIn(one)
      this.heldAtMs[number] = Math.min(this.heldAtMs[number]!, atMs)
      this.#counters.set(keyRange, first + index, number)
    }
  }

  /** Since when it holds a message or says that it never will. Ask when both logs are read. */
  settledAtMs(): Float64Array {
    const settledAtMs = Float64Array.from(this.heldAtMs)
    for (const { keyRange, first, count, atMs } of this.#voids) {
      for (let counter = first; counter < first + count; counter++) {
        const number = this.#counters.numberAt(keyRange, counter)
        if (number !== undefined) settledAtMs[number] = Math.min(settledAtMs[number]!, atMs)
      }
    }
    return settledAtMs
  }
}

/** What a frame holds, as any reader of MessagePack has it: `[[key, value, …], …]`. */
function valuesOf(bytes: Buffer): readonly Buffer[] {
  return (decode(bytes) as [unknown, Uint8Array][]).map(([, { buffer, byteOffset, byteLength }]) =>
    Buffer.from(buffer, byteOffset, byteLength),
  )
}
