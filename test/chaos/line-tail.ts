import { closeSync, existsSync, openSync, readSync } from 'node:fs'

/** Reads what a file of JSON lines has grown by since the last time; a line that is not whole yet waits. */
export class LineTail {
  readonly #path: string
  #offset = 0
  #rest = ''

  constructor(path: string) {
    this.#path = path
  }

  /** @throws Error if a line cannot be parsed: evidence that cannot be read is not passed over. */
  read(): unknown[] {
    if (!existsSync(this.#path)) return []
    const lines: unknown[] = []
    const descriptor = openSync(this.#path, 'r')
    try {
      const block = Buffer.alloc(BLOCK_BYTES)
      for (;;) {
        const length = readSync(descriptor, block, 0, block.length, this.#offset)
        if (length === 0) return lines
        this.#offset += length
        // The programs write ASCII only, so no character is cut in two.
        const whole = (this.#rest + block.toString('latin1', 0, length)).split('\n')
        this.#rest = whole.pop()!
        for (const line of whole) lines.push(this.#parse(line))
      }
    } finally {
      closeSync(descriptor)
    }
  }

  #parse(line: string): unknown {
    try {
      return JSON.parse(line)
    } catch (error) {
      throw new Error(`${this.#path} has a line that cannot be read: ${line.slice(0, 200)}`, { cause: error })
    }
  }
}

const BLOCK_BYTES = 1 << 20
