/**
 * What a process saw, a line of a file for each message: which one, when, and how long after it was due. It is read when
 * all is over, so that whoever is measured keeps no figures.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'

/** By place in the file. */
export interface Samples {
  readonly numbers: Uint32Array
  readonly atMs: Float64Array
  readonly latencyMs: Float32Array
}

export class SampleFile {
  readonly #file: number
  readonly #beginMs: number
  readonly #waiting = Buffer.alloc(SAMPLE_BYTES * 4_096)
  #waitingBytes = 0
  count = 0

  /** @param beginMs nothing is older. */
  constructor(path: string, beginMs: number) {
    this.#file = openSync(path, 'w')
    this.#beginMs = beginMs
  }

  add(number: number, { atMs, dueMs }: { readonly atMs: number; readonly dueMs: number }): void {
    if (this.#waitingBytes === this.#waiting.length) this.#write()
    const [sinceBegin, sinceDue] = [atMs - this.#beginMs, atMs - dueMs].map((ms) => Math.round(ms * MICROS))
    for (const field of [number, sinceBegin!, sinceDue!]) {
      this.#waitingBytes = this.#waiting.writeUInt32LE(field, this.#waitingBytes)
    }
    this.count++
  }

  close(): void {
    this.#write()
    closeSync(this.#file)
  }

  #write(): void {
    writeSync(this.#file, this.#waiting, 0, this.#waitingBytes)
    this.#waitingBytes = 0
  }
}

export function readSamples(path: string, beginMs: number): Samples {
  const bytes = readFileSync(path)
  const count = bytes.length / SAMPLE_BYTES
  const samples = {
    numbers: new Uint32Array(count),
    atMs: new Float64Array(count),
    latencyMs: new Float32Array(count),
  }
  for (let index = 0; index < count; index++) {
    const at = index * SAMPLE_BYTES
    samples.numbers[index] = bytes.readUInt32LE(at)
    samples.atMs[index] = beginMs + bytes.readUInt32LE(at + 4) / MICROS
    samples.latencyMs[index] = bytes.readUInt32LE(at + 8) / MICROS
  }
  return samples
}

/** Three numbers of 32 bits, which are enough for an hour of microseconds. */
const SAMPLE_BYTES = 12
const MICROS = 1_000
