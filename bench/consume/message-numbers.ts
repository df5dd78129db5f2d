/** Messages by the number that stands at the beginning of their values. */
export class MessageNumbers {
  readonly #seen: Uint8Array
  taken = 0
  different = 0

  constructor(messages: number) {
    this.#seen = new Uint8Array(messages)
  }

  take(value: Buffer): void {
    const number = numberIn(value)
    this.taken++
    if (this.#seen[number] === 0) this.different++
    this.#seen[number] = 1
  }

  /** What another process has taken, as its `seen`. */
  add({ taken, seen }: Pick<MessageNumbers, 'taken' | 'seen'>): void {
    this.taken += taken
    for (const [number, was] of seen.entries()) {
      if (was === 0) continue
      if (this.#seen[number] === 0) this.different++
      this.#seen[number] = 1
    }
  }

  /** 1 for each number that was taken. */
  get seen(): Uint8Array {
    return this.#seen
  }

  /** How many were never taken, but for these. */
  missing(but: readonly number[] = []): number {
    const expected = new Set(but)
    return this.#seen.reduce((sum, seen, number) => sum + (seen === 0 && !expected.has(number) ? 1 : 0), 0)
  }
}

export function valueOf(number: number, bytes: number): Buffer {
  const value = Buffer.alloc(bytes, 'x')
  value.writeUInt32BE(number)
  return value
}

export function numberIn(value: Buffer): number {
  return value.readUInt32BE(0)
}
