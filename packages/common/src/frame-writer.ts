/**
 * MessagePack as far as a frame needs it, into one buffer that is large enough from the beginning.
 *
 * A library that encodes anything takes an array for each message and looks at each of its parts; that is a third of
 * what a framed message costs in all. What is written here is held to the same vectors (frame.ts).
 */
export class FrameWriter {
  readonly #bytes: Buffer
  #at = 0

  /** @param size at least as many bytes as will be written. */
  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size)
  }

  /** What was written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  array(length: number): void {
    if (length < 16) this.#byte(0x90 | length)
    else if (length < 2 ** 16) this.#sized(0xdc, 2, length)
    else this.#sized(0xdd, 4, length)
  }

  bytes(value: Uint8Array | null): void {
    if (value === null) return this.#byte(0xc0)
    const { length } = value
    if (length < 2 ** 8) this.#sized(0xc4, 1, length)
    else if (length < 2 ** 16) this.#sized(0xc5, 2, length)
    else this.#sized(0xc6, 4, length)
    this.#bytes.set(value, this.#at)
    this.#at += length
  }

  text(value: string): void {
    const length = Buffer.byteLength(value)
    if (length < 32) this.#byte(0xa0 | length)
    else if (length < 2 ** 8) this.#sized(0xd9, 1, length)
    else if (length < 2 ** 16) this.#sized(0xda, 2, length)
    else this.#sized(0xdb, 4, length)
    this.#at += this.#bytes.write(value, this.#at)
  }

  /** From 0 to 2^53 − 1. */
  integer(value: number): void {
    if (value < 2 ** 7) this.#byte(value)
    else if (value < 2 ** 8) this.#sized(0xcc, 1, value)
    else if (value < 2 ** 16) this.#sized(0xcd, 2, value)
    else if (value < 2 ** 32) this.#sized(0xce, 4, value)
    else {
      this.#sized(0xcf, 4, Math.floor(value / 2 ** 32))
      this.#at = this.#bytes.writeUInt32BE(value % 2 ** 32, this.#at)
    }
  }

  #byte(value: number): void {
    this.#bytes[this.#at++] = value
  }

  #sized(type: number, width: 1 | 2 | 4, value: number): void {
    this.#bytes[this.#at++] = type
    for (let shift = 8 * (width - 1); shift >= 0; shift -= 8) this.#bytes[this.#at++] = value >>> shift
  }
}

/** What the head of bytes, of a text or of an array takes at most. */
export const HEAD_BYTES_MAX = 5
/** What an integer takes at most. */
export const INTEGER_BYTES_MAX = 9
