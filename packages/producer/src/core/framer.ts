/**
 * Which messages of a sequence share a record, on topics whose `framing` is `frame`.
 *
 * A frame waits only while something of its sequence is under way, that is, sealed and not answered, and then at most
 * for `lingerMs`: so a message of an idle stream leaves at once, and what comes while it is on its way is gathered. One
 * that is full leaves at once, too. Counters are given out when a frame is sealed, so that nothing that was stamped is
 * ever taken out of one.
 *
 * What must not share a record, since it is not answered for like the others, first closes what stands before it
 * (protocol.md, Frames).
 */
import { Fifo, FRAME_MESSAGES_MAX } from '@tandem/common/internal'

import type { Sequence } from './sequencer.js'

export interface Framing {
  readonly lingerMs: number
  /** Of a frame with more than one message. */
  readonly bytesMax: number
}

/** One message that may share a record. */
export interface Framed {
  readonly sequence: Sequence
  /** What it takes of a frame. */
  readonly framedBytes: number
}

interface Frame<M> {
  readonly messages: M[]
  bytes: number
  readonly sealAt: number
}

export class Framer<M extends Framed> {
  readonly #open = new Map<Sequence, Frame<M>>()
  /** Records of each sequence that are sealed and not answered. */
  readonly #underWay = new Map<Sequence, number>()
  readonly #closed = new Fifo<Frame<M>>()
  #waiting = 0
  #bytes = 0
  #deadline = Infinity

  /** Messages that wait for a record. */
  get waiting(): number {
    return this.#waiting
  }

  /** What they take of frames. */
  get bytes(): number {
    return this.#bytes
  }

  handleMessage(message: M, { lingerMs, bytesMax }: Framing, now: number): void {
    const { sequence, framedBytes } = message
    let frame = this.#open.get(sequence)
    if (frame !== undefined && frame.bytes + framedBytes > bytesMax) {
      this.handleClosed(sequence)
      frame = undefined
    }
    if (frame === undefined) {
      frame = { messages: [], bytes: 0, sealAt: now + lingerMs }
      this.#open.set(sequence, frame)
    }
    frame.messages.push(message)
    frame.bytes += framedBytes
    this.#waiting++
    this.#bytes += framedBytes
    const full = frame.bytes >= bytesMax || frame.messages.length >= FRAME_MESSAGES_MAX
    if (full || frame.sealAt <= now || !this.#underWay.has(sequence)) this.handleClosed(sequence)
    else this.#deadline = Math.min(this.#deadline, frame.sealAt)
  }

  /** Nothing more may join what is open of a sequence. */
  handleClosed(sequence: Sequence): void {
    const frame = this.#open.get(sequence)
    if (frame === undefined) return
    this.#open.delete(sequence)
    this.#closed.push(frame)
    this.#handleUnderWay(sequence)
  }

  /** Nothing is waited for any more. */
  handleAllClosed(): void {
    for (const sequence of this.#open.keys()) this.handleClosed(sequence)
  }

  /** A record that did not come from here was sealed. */
  handleAlone(sequence: Sequence): void {
    this.handleClosed(sequence)
    this.#handleUnderWay(sequence)
  }

  /** A record of the sequence was answered: resolved or rejected. */
  handleAnswered(sequence: Sequence): void {
    const count = this.#underWay.get(sequence)
    if (count === undefined) return
    if (count > 1) this.#underWay.set(sequence, count - 1)
    else {
      this.#underWay.delete(sequence)
      this.handleClosed(sequence)
    }
  }

  /** Messages that are to be sealed as one record. */
  poll(): readonly M[] | undefined {
    const frame = this.#closed.shift()
    if (frame === undefined) return undefined
    this.#waiting -= frame.messages.length
    this.#bytes -= frame.bytes
    return frame.messages
  }

  deadline(): number | undefined {
    return this.#deadline === Infinity ? undefined : this.#deadline
  }

  handleDeadline(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    for (const [sequence, { sealAt }] of this.#open) {
      if (sealAt <= now) this.handleClosed(sequence)
      else this.#deadline = Math.min(this.#deadline, sealAt)
    }
  }

  /** Everything that still waits, which leaves it unsealed. */
  close(): M[] {
    this.handleAllClosed()
    const left: M[] = []
    for (let messages = this.poll(); messages !== undefined; messages = this.poll()) left.push(...messages)
    return left
  }

  #handleUnderWay(sequence: Sequence): void {
    this.#underWay.set(sequence, (this.#underWay.get(sequence) ?? 0) + 1)
  }
}
