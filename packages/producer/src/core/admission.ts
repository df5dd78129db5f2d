/**
 * Who may be stamped now: the door of the producer.
 *
 * What is refused here was never numbered: it burns no counter, nothing was written, and the caller may send it again.
 *
 * **Order.** A message takes its place at the call, in the line of its sequence, and can leave it only when it is
 * encoded and all that stand before it in this line have left: the order of two calls is the order of their counters,
 * awaited or not, whatever their codec takes. Lines do not wait for each other: a message that is slow to encode, too
 * large, or whose partition nobody takes, holds up nobody but its own line.
 *
 * **Room.** The window bounds messages that are stamped and whose `send()` is neither resolved nor rejected, in
 * number and bytes. A single message that is larger than the window in bytes passes when the window is empty.
 *
 * **What happens when there is no room**, or neither cluster takes the partition, or a lane holds all that it may:
 * policy `block` waits, for a time; `reject` sheds at once. What can wait is bounded as well, since callers need not
 * await. `sendMany` is patient: it waits for room in the window under both policies, as it paces itself by it. With
 * `acknowledge: 'both'` a cluster that is away means shedding at once under both.
 */
import { Fifo } from '@tandem/common/internal'

import type { Sequence } from './sequencer.js'

/** One message at the door. */
export interface Applicant {
  readonly sequence: Sequence
  /** Known once it is encoded. */
  readonly bytes: number
  readonly encoded: boolean
  /** Waits for room in the window even if the policy is to reject. */
  readonly patient: boolean
  /** Admission's own. */
  admission: 'outside' | 'waiting' | 'left'
  admissionDeadline: number
}

/** What stands in the way of a message, as the lanes say. */
export type Obstacle = 'both-away' | 'cluster-away' | 'backlog'

export type ShedReason = Obstacle | 'window' | 'waiting' | 'codec' | 'closed'

export type AdmissionCommand<A extends Applicant> =
  | { readonly kind: 'admit'; readonly applicant: A }
  | { readonly kind: 'shed'; readonly applicant: A; readonly reason: ShedReason }

export interface AdmissionOptions<A extends Applicant> {
  readonly policy: 'block' | 'reject'
  readonly messagesMax: number
  readonly bytesMax: number
  /** How long a message may wait at the door. */
  readonly waitMs: number
  readonly obstacle: (applicant: A) => Obstacle | undefined
}

export class Admission<A extends Applicant> {
  readonly #options: AdmissionOptions<A>
  #messages = 0
  #bytes = 0
  readonly #lines = new Map<Sequence, Fifo<A>>()
  /** All that wait, oldest first: which is the order of their deadlines. */
  readonly #waiting = new Set<A>()
  #waitingBytes = 0
  /** Heads of lines that are encoded, and those of them that must wait until a partition can be taken. */
  readonly #ready = new Fifo<A>()
  readonly #parked = new Fifo<A>()
  /** Of the ready, those who wait for room where others are shed. */
  readonly #patient = new Fifo<A>()
  readonly #commands = new Fifo<AdmissionCommand<A>>()
  #deadline = Infinity

  constructor(options: AdmissionOptions<A>) {
    this.#options = options
  }

  /** Messages in the window. */
  get messages(): number {
    return this.#messages
  }

  get bytes(): number {
    return this.#bytes
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** A call of `send()`. */
  handleCall(applicant: A, now: number): void {
    if (applicant.encoded && !this.#lines.has(applicant.sequence)) {
      const obstacle = this.#obstacle(applicant)
      if (obstacle === undefined && this.#readyFor(applicant).size === 0) {
        this.#admit(applicant)
        return
      }
      if (obstacle !== undefined && !this.#mayWait(applicant, obstacle)) {
        this.#shed(applicant, obstacle)
        return
      }
    }
    if (this.#waiting.size >= this.#options.messagesMax || this.#isCrowded(applicant)) {
      this.#shed(applicant, 'waiting')
      return
    }
    this.#join(applicant, now)
  }

  /** A waiting message has been encoded, or was found to be invalid: then `handleWithdrawn`. */
  handleEncoded(applicant: A): void {
    if (applicant.admission !== 'waiting') return
    const crowded = this.#isCrowded(applicant)
    this.#waitingBytes += applicant.bytes
    if (crowded) this.#turnAway(applicant, 'waiting')
    else if (this.#lines.get(applicant.sequence)?.peek() === applicant) this.#readyFor(applicant).push(applicant)
  }

  handleWithdrawn(applicant: A): void {
    if (applicant.admission === 'waiting') this.#leave(applicant)
  }

  /** A stamped message was resolved or rejected: there is room again. */
  handleDone(applicant: A): void {
    this.#messages--
    this.#bytes -= applicant.bytes
  }

  /** A lane can take again what it could not. */
  handleReach(): void {
    for (let applicant = this.#parked.shift(); applicant !== undefined; applicant = this.#parked.shift()) {
      if (applicant.admission === 'waiting') this.#readyFor(applicant).push(applicant)
    }
  }

  /** Everybody at the door goes. */
  close(): void {
    for (const applicant of this.#waiting) this.#turnAway(applicant, 'closed')
  }

  poll(): AdmissionCommand<A> | undefined {
    const command = this.#commands.shift()
    if (command !== undefined) return command
    this.#judge(this.#ready)
    if (this.#commands.size === 0) this.#judge(this.#patient)
    return this.#commands.shift()
  }

  deadline(): number | undefined {
    return this.#deadline === Infinity ? undefined : this.#deadline
  }

  handleDeadline(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    for (const applicant of this.#waiting) {
      if (applicant.admissionDeadline > now) {
        this.#deadline = applicant.admissionDeadline
        return
      }
      this.#turnAway(applicant, this.#whyStill(applicant))
    }
  }

  /** Lets in, parks or turns away the heads of lines until one has left or nothing more can be done. */
  #judge(ready: Fifo<A>): void {
    for (let applicant = ready.peek(); applicant !== undefined; applicant = ready.peek()) {
      if (applicant.admission !== 'waiting') {
        ready.shift()
        continue
      }
      const obstacle = this.#obstacle(applicant)
      if (obstacle !== undefined && this.#mayWait(applicant, obstacle)) {
        if (obstacle === 'window' || obstacle === 'backlog') return // nobody behind it could pass either
        ready.shift()
        this.#parked.push(applicant)
        continue
      }
      ready.shift()
      this.#leave(applicant)
      if (obstacle === undefined) this.#admit(applicant)
      else this.#shed(applicant, obstacle)
      return
    }
  }

  #readyFor(applicant: A): Fifo<A> {
    return applicant.patient && this.#options.policy === 'reject' ? this.#patient : this.#ready
  }

  #obstacle(applicant: A): Obstacle | 'window' | undefined {
    return this.#hasRoom(applicant) ? this.#options.obstacle(applicant) : 'window'
  }

  #mayWait(applicant: A, obstacle: Obstacle | 'window'): boolean {
    switch (obstacle) {
      case 'cluster-away':
        return false
      case 'window':
        return applicant.patient || this.#options.policy === 'block'
      case 'both-away':
      case 'backlog':
        return this.#options.policy === 'block'
      default:
        throw obstacle satisfies never
    }
  }

  #whyStill(applicant: A): ShedReason {
    if (!applicant.encoded) return 'codec'
    return this.#obstacle(applicant) ?? 'window'
  }

  /** As much waits as may. What is patient lies in its caller's array anyway, whose length and pace bound it. */
  #isCrowded(applicant: A): boolean {
    return !applicant.patient && this.#waitingBytes > this.#options.bytesMax
  }

  #hasRoom(applicant: A): boolean {
    if (this.#messages === 0) return true
    return this.#messages < this.#options.messagesMax && this.#bytes + applicant.bytes <= this.#options.bytesMax
  }

  #join(applicant: A, now: number): void {
    let line = this.#lines.get(applicant.sequence)
    if (line === undefined) this.#lines.set(applicant.sequence, (line = new Fifo()))
    line.push(applicant)
    applicant.admission = 'waiting'
    applicant.admissionDeadline = now + this.#options.waitMs
    this.#waiting.add(applicant)
    if (applicant.admissionDeadline < this.#deadline) this.#deadline = applicant.admissionDeadline
    if (applicant.encoded) this.handleEncoded(applicant)
  }

  #admit(applicant: A): void {
    this.#messages++
    this.#bytes += applicant.bytes
    applicant.admission = 'left'
    this.#commands.push({ kind: 'admit', applicant })
  }

  #turnAway(applicant: A, reason: ShedReason): void {
    this.#leave(applicant)
    this.#shed(applicant, reason)
  }

  #shed(applicant: A, reason: ShedReason): void {
    applicant.admission = 'left'
    this.#commands.push({ kind: 'shed', applicant, reason })
  }

  /** Leaves the line; whoever comes to its head, and is encoded, may be judged. */
  #leave(applicant: A): void {
    applicant.admission = 'left'
    this.#waiting.delete(applicant)
    if (applicant.encoded) this.#waitingBytes -= applicant.bytes
    const line = this.#lines.get(applicant.sequence)!
    if (line.peek() !== applicant) return // from the middle; passed over when it comes to the head
    for (;;) {
      const head = line.peek()
      if (head === undefined) {
        this.#lines.delete(applicant.sequence)
        return
      }
      if (head.admission === 'waiting') {
        if (head.encoded) this.#readyFor(head).push(head)
        return
      }
      line.shift()
    }
  }
}
