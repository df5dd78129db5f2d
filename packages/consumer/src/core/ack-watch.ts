/**
 * What the subscriber owes: deliveries whose acknowledgement is waited for too long, or that it refuses too often.
 *
 * Three things are told, since all look like a consumer that stands still for no reason. A delivery is **overdue** once
 * it has been in the subscriber's hands for `ackTimeoutMs`. It is **stuck** once it was refused ten times: it goes on
 * coming again, and the position of the group stays before it. The window is **stalled** once it has been full for so long
 * without one acknowledgement: a handler hangs, or an operator gathers more than the window lets out and waits for the
 * rest (`bufferCount` of more than `unacknowledgedMax`). Nothing else follows: a delivery is never taken away or handed
 * out again by itself, since its handler may yet be done, and its effect would be there twice.
 *
 * Deliveries are looked through a few times per `ackTimeoutMs` instead of each having a deadline of its own: it is told
 * up to a tenth of that time later. What gets stuck is told a second later, all of it together: what refuses, refuses by
 * the thousand.
 */
export interface Outstanding {
  /** When it was handed out; Infinity while it is not in the subscriber's hands. */
  readonly handedOutAt: number
  overdue: boolean
  /** How often it was refused. */
  refusals: number
}

export type AckWatchCommand<T> =
  | { readonly kind: 'overdue' | 'stuck'; readonly deliveries: readonly T[] }
  | { readonly kind: 'stalled'; readonly waitedMs: number }

export class AckWatch<T extends Outstanding> {
  readonly #timeoutMs: number
  #lookAt = Infinity
  /** Since when the window has been full without an acknowledgement; undefined if it is not. */
  #fullSince: number | undefined
  #stalled = false
  #overdue = 0
  readonly #stuck = new Set<T>()
  /** Of these what was not told yet, and when it is. */
  #untold: T[] = []
  #tellAt = Infinity
  #commands: AckWatchCommand<T>[] = []

  constructor(options: { readonly ackTimeoutMs: number }) {
    this.#timeoutMs = options.ackTimeoutMs
  }

  /** Deliveries that are overdue now. */
  get overdue(): number {
    return this.#overdue
  }

  /** Deliveries that were refused so often and are not acknowledged yet. */
  get stuck(): number {
    return this.#stuck.size
  }

  get stalled(): boolean {
    return this.#stalled
  }

  handleHandedOut(now: number): void {
    if (this.#lookAt === Infinity) this.#lookAt = now + this.#timeoutMs
  }

  /** It is not in the subscriber's hands any more, but may come back. */
  handleGone(delivery: T): void {
    if (delivery.overdue) this.#overdue--
    delivery.overdue = false
  }

  /** The same, since its effect failed. */
  handleRefused(delivery: T, now: number): void {
    this.handleGone(delivery)
    if (++delivery.refusals !== REFUSALS) return
    this.#stuck.add(delivery)
    this.#untold.push(delivery)
    this.#tellAt = Math.min(this.#tellAt, now + TELL_MS)
  }

  /** It was acknowledged, or its partition was lost. */
  handleFinished(delivery: T): void {
    this.handleGone(delivery)
    this.#stuck.delete(delivery)
  }

  handleAcknowledged(now: number): void {
    if (this.#fullSince !== undefined) this.#fullSince = now
    this.#stalled = false
  }

  handleWindow(full: boolean, now: number): void {
    if (full) this.#fullSince ??= now
    else this.#fullSince = undefined
    if (!full) this.#stalled = false
  }

  deadline(): number {
    return Math.min(this.#lookAt, this.#stallAt, this.#tellAt)
  }

  /** @param outstanding everything in the subscriber's hands, in any order. */
  handleDeadline(now: number, outstanding: Iterable<T>): void {
    if (now >= this.#stallAt) {
      this.#stalled = true
      this.#commands.push({ kind: 'stalled', waitedMs: now - this.#fullSince! })
    }
    if (now >= this.#tellAt) this.#tellStuck()
    if (now >= this.#lookAt) this.#look(now, outstanding)
  }

  poll(): AckWatchCommand<T> | undefined {
    return this.#commands.shift()
  }

  get #stallAt(): number {
    return this.#fullSince === undefined || this.#stalled ? Infinity : this.#fullSince + this.#timeoutMs
  }

  #tellStuck(): void {
    this.#commands.push({ kind: 'stuck', deliveries: this.#untold })
    this.#untold = []
    this.#tellAt = Infinity
  }

  #look(now: number, outstanding: Iterable<T>): void {
    const deliveries: T[] = []
    let oldest = Infinity
    for (const delivery of outstanding) {
      if (delivery.overdue) continue
      if (now - delivery.handedOutAt < this.#timeoutMs) oldest = Math.min(oldest, delivery.handedOutAt)
      else if (delivery.handedOutAt !== Infinity) deliveries.push(delivery)
    }
    for (const delivery of deliveries) delivery.overdue = true
    this.#overdue += deliveries.length
    if (deliveries.length > 0) this.#commands.push({ kind: 'overdue', deliveries })
    this.#lookAt = Math.max(oldest + this.#timeoutMs, now + this.#timeoutMs / LOOKS)
  }
}

/** Per `ackTimeoutMs` at most: the window may hold millions. */
const LOOKS = 10
/** With the default delay about ten seconds: longer than a short trouble of what has the effect. */
const REFUSALS = 10
const TELL_MS = 1_000
