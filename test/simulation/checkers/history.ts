/**
 * What happened, as those outside of tandem know it: what was sent and answered, and what each subscriber was given.
 *
 * The simulator writes one in virtual time, the chaos command one of real processes from their files; the checkers do
 * not know which. Times are ms of one clock. Nothing in here is a counter, a stamp or an event of tandem, except where
 * it says so.
 */
export interface History {
  readonly groups: readonly string[]
  /** Every call of `send()`, in the order of the calls. */
  readonly messages: readonly SentMessage[]
  /** Every process that subscribed, in the order of their starts. */
  readonly lives: readonly ConsumerLife[]
  /** When the store may have lost what it had confirmed, or could not be reached. */
  readonly storeTroubles: readonly Span[]
  /** Faults were over from then on. */
  readonly healedAtMs: number
  /** Whether all came to rest in the time that I8 gives. */
  readonly rested: boolean
}

export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export interface SentMessage {
  /** The payload; no two are the same. */
  readonly text: string
  readonly producerId: string
  /** Which process of this producerId sent it: 1, 2, 3 … */
  readonly life: number
  readonly key: string
  /** By the key, as any Kafka client computes it. */
  readonly keyRange: number
  /** 1, 2, 3 … over the calls of this life. */
  readonly number: number
  readonly sentAtMs: number
  readonly answer: Answer
  /** When it resolved or rejected; undefined while it is open. */
  readonly answeredAtMs: number | undefined
}

/**
 * `acknowledged`: it resolved. The others are the outcomes of a rejection, as its error says them. `open`: nothing yet;
 * `orphaned`: nothing, and its process was killed.
 */
export type Answer = 'acknowledged' | 'not-written' | 'unknown' | 'open' | 'orphaned'

export interface ConsumerLife {
  readonly groupId: string
  readonly name: string
  /** When it was killed; undefined if it lives. */
  readonly endedAtMs: number | undefined
  /** In the order in which the subscriber got them. */
  readonly deliveries: readonly Delivered[]
  /** How many late deliveries it told of by events; undefined if what it had not told yet died with it. */
  readonly lateTold: number | undefined
  /** When it stood still (SIGSTOP). */
  readonly stops: readonly Span[]
}

export interface Delivered {
  readonly text: string
  /** As tandem marked it. */
  readonly late: boolean
  /** Again, because the subscriber had asked for it. */
  readonly redelivered: boolean
  readonly atMs: number
  readonly acknowledgedAtMs: number | undefined
}
