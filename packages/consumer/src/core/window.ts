/**
 * How much the subscriber may have unfinished: RxJS has no back-pressure, so this is ours.
 *
 * A delivery is let out while the window is not full, so one message larger than `bytesMax` still passes, alone.
 */
export class Window {
  readonly #messagesMax: number
  readonly #bytesMax: number
  messages = 0
  bytes = 0

  constructor(options: { readonly messagesMax: number; readonly bytesMax: number }) {
    this.#messagesMax = options.messagesMax
    this.#bytesMax = options.bytesMax
  }

  get full(): boolean {
    return this.messages >= this.#messagesMax || this.bytes >= this.#bytesMax
  }

  take(bytes: number): void {
    this.messages++
    this.bytes += bytes
  }

  give(bytes: number): void {
    this.messages--
    this.bytes -= bytes
  }
}
