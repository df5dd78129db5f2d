import { closeSync, createReadStream, openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'

import { InvariantError } from '@tandem/common'

/**
 * A file of JSON lines that only grows; they are with the kernel when `append` returns.
 *
 * One `write` per call, on a descriptor opened for appending: a process that is killed leaves whole lines, and what
 * it did before it died is on record. (A power failure is not what these files are for, so nothing is synced.)
 */
export class LineFile {
  readonly path: string
  #descriptor: number | undefined

  constructor(path: string) {
    this.path = path
    this.#descriptor = openSync(path, 'a')
  }

  append(...entries: readonly object[]): void {
    if (this.#descriptor === undefined) throw new InvariantError(`${this.path} is closed`)
    writeSync(this.#descriptor, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }
}

/**
 * Hands every line of the file at `path` to `take`, as what `read` makes of it.
 *
 * @throws InvariantError if a line is not what it should be: evidence that cannot be read is not passed over.
 */
export async function readLines<T>(
  path: string,
  read: (value: unknown) => T | undefined,
  take: (entry: T) => void,
): Promise<void> {
  let lineNumber = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    lineNumber++
    const entry = read(parse(line))
    if (entry === undefined) throw new InvariantError(`${path}:${lineNumber} cannot be read: ${line.slice(0, 200)}`)
    take(entry)
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
