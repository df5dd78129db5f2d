/**
 * Messages of a topic that no cluster has described yet: without its partition count there is no key range, so they
 * wait in the order of their calls until the topic is known, and then go on to admission in that order.
 *
 * Every cluster that is there is asked. The first answer would do; the others are given a moment more, so that two
 * clusters that differ are noticed before anything is written (a cluster that hangs must not hold up the other one).
 * If none answers, policy `reject` sheds, while `block` asks again until the time of those who wait is up. How many
 * may wait is bounded, in number and bytes.
 */
import { Fifo } from '@tandem/common/internal'

export type FirstSightCommand<A> =
  /** Ask the clusters, and say how many that were: `handleAsked`. */
  | { readonly kind: 'ask'; readonly topic: string }
  /** Enough is known: pin it, then `handleKnown`. */
  | { readonly kind: 'known'; readonly topic: string }
  | { readonly kind: 'release'; readonly applicant: A }
  | { readonly kind: 'refuse'; readonly applicant: A; readonly error: Error }
  | { readonly kind: 'shed'; readonly applicant: A; readonly reason: 'both-away' | 'waiting' | 'closed' }

export interface FirstSightOptions {
  readonly policy: 'block' | 'reject'
  readonly messagesMax: number
  readonly bytesMax: number
  readonly waitMs: number
}

interface Crowd<A> {
  readonly applicants: Fifo<{ readonly applicant: A; readonly bytes: number; readonly deadline: number }>
  question: Question
}

type Question =
  | { readonly kind: 'to-ask'; readonly at: number }
  | { readonly kind: 'asked'; readonly unanswered: number; readonly graceUntil: number | undefined }

export class FirstSight<A> {
  readonly #options: FirstSightOptions
  readonly #crowds = new Map<string, Crowd<A>>()
  #waiting = 0
  #waitingBytes = 0
  readonly #commands = new Fifo<FirstSightCommand<A>>()

  constructor(options: FirstSightOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#waiting
  }

  /** `bytes` is 0 for what is not encoded yet. */
  handleCall(topic: string, applicant: A, bytes: number, now: number): void {
    if (this.#waiting >= this.#options.messagesMax || this.#waitingBytes > this.#options.bytesMax) {
      this.#commands.push({ kind: 'shed', applicant, reason: 'waiting' })
      return
    }
    let crowd = this.#crowds.get(topic)
    if (crowd === undefined) {
      this.#crowds.set(topic, (crowd = { applicants: new Fifo(), question: { kind: 'to-ask', at: Infinity } }))
      this.#commands.push({ kind: 'ask', topic })
    }
    crowd.applicants.push({ applicant, bytes, deadline: now + this.#options.waitMs })
    this.#waiting++
    this.#waitingBytes += bytes
  }

  /** So many clusters were asked; each will be answered for by one of the next three. */
  handleAsked(topic: string, clusters: number, now: number): void {
    const crowd = this.#crowds.get(topic)
    if (crowd === undefined) return
    crowd.question = { kind: 'asked', unanswered: clusters, graceUntil: undefined }
    this.#look(topic, crowd, now)
  }

  handleAnswered(topic: string, now: number): void {
    this.#answer(topic, now, now + GRACE_MS)
  }

  /** A cluster that was asked gave no answer. */
  handleSilent(topic: string, now: number): void {
    this.#answer(topic, now, undefined)
  }

  /** The topic is not as it should be. */
  handleRefused(topic: string, error: Error): void {
    this.#disperse(topic, (applicant) => ({ kind: 'refuse', applicant, error }))
  }

  handleKnown(topic: string): void {
    this.#disperse(topic, (applicant) => ({ kind: 'release', applicant }))
  }

  close(): void {
    for (const topic of [...this.#crowds.keys()]) {
      this.#disperse(topic, (applicant) => ({ kind: 'shed', applicant, reason: 'closed' }))
    }
  }

  poll(): FirstSightCommand<A> | undefined {
    return this.#commands.shift()
  }

  deadline(): number | undefined {
    if (this.#crowds.size === 0) return undefined
    let deadline = Infinity
    for (const { applicants, question } of this.#crowds.values()) {
      const next = question.kind === 'to-ask' ? question.at : (question.graceUntil ?? Infinity)
      deadline = Math.min(deadline, next, applicants.peek()?.deadline ?? Infinity)
    }
    return deadline === Infinity ? undefined : deadline
  }

  handleDeadline(now: number): void {
    for (const [topic, crowd] of this.#crowds) {
      this.#shedLate(crowd, now)
      const { question } = crowd
      if (question.kind === 'asked') {
        this.#look(topic, crowd, now)
      } else if (crowd.applicants.size === 0) {
        this.#crowds.delete(topic)
      } else if (now >= question.at) {
        crowd.question = { kind: 'to-ask', at: Infinity }
        this.#commands.push({ kind: 'ask', topic })
      }
    }
  }

  #answer(topic: string, now: number, graceUntil: number | undefined): void {
    const crowd = this.#crowds.get(topic)
    if (crowd?.question.kind !== 'asked') return
    const { question } = crowd
    crowd.question = {
      kind: 'asked',
      unanswered: question.unanswered - 1,
      graceUntil: question.graceUntil ?? graceUntil,
    }
    this.#look(topic, crowd, now)
  }

  #look(topic: string, crowd: Crowd<A>, now: number): void {
    const { question } = crowd
    if (question.kind !== 'asked') return
    if (question.graceUntil !== undefined) {
      if (question.unanswered === 0 || now >= question.graceUntil) this.#commands.push({ kind: 'known', topic })
    } else if (question.unanswered === 0) {
      if (this.#options.policy === 'block') crowd.question = { kind: 'to-ask', at: now + ASK_EVERY_MS }
      else this.#disperse(topic, (applicant) => ({ kind: 'shed', applicant, reason: 'both-away' }))
    }
  }

  #shedLate(crowd: Crowd<A>, now: number): void {
    for (let first = crowd.applicants.peek(); first !== undefined; first = crowd.applicants.peek()) {
      if (first.deadline > now) return
      crowd.applicants.shift()
      this.#waiting--
      this.#waitingBytes -= first.bytes
      this.#commands.push({ kind: 'shed', applicant: first.applicant, reason: 'both-away' })
    }
  }

  #disperse(topic: string, command: (applicant: A) => FirstSightCommand<A>): void {
    const crowd = this.#crowds.get(topic)
    if (crowd === undefined) return
    this.#crowds.delete(topic)
    this.#waiting -= crowd.applicants.size
    for (const { applicant, bytes } of crowd.applicants) {
      this.#waitingBytes -= bytes
      this.#commands.push(command(applicant))
    }
  }
}

/** A topic that was just created, or a cluster that was just started, needs about as long. */
const ASK_EVERY_MS = 1_000
/** Many times what a cluster takes that is well. */
const GRACE_MS = 1_000
