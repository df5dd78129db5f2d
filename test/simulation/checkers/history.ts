/**
 * What happened, as those outside of tandem know it: what was sent and answered, what each subscriber was given, and
 * what the two logs hold in the end.
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
  /** Every lease that a store gave, in order; not known of real ones. */
  readonly takings?: readonly Taking[]
  /** Effects that stand in the database that is also the store, in order. */
  readonly booked?: readonly Booked[] | undefined
  /** When the store could not be reached, or forgot. */
  readonly storeTroubles: readonly StoreTrouble[]
  /** Messages that a log has lost and that none has any more, whoever was given them before. */
  readonly vanished?: ReadonlySet<string>
  /** Messages that a log has voided and does not show as such any more. */
  readonly blurred?: ReadonlySet<string>
  /** With `order: 'strict'`: what operators had skipped, and what may come late by itself. */
  readonly strict?: { readonly skips: readonly Skip[]; readonly lateWritten: ReadonlySet<string> } | undefined
  /** When a consumer could not reach a cluster that others could reach; not known of real ones. */
  readonly cutOffs?: readonly CutOff[]
  /** When anything was wrong with a cluster itself. */
  readonly clusterTroubles?: readonly Span[]
  /** Faults were over from then on. */
  readonly healedAtMs: number
  /** Whether all came to rest in the time that I8 gives. */
  readonly rested: boolean
  /** Both logs were written without delay and could be read all the time: nothing has a reason to come late. */
  readonly nothingIsLate?: boolean
  /** One cluster suffered, and nobody else: what may be asked of the other one. */
  readonly carriesOn?: CarriesOn | undefined
  /** What was counted of things that are bounded. */
  readonly peaks?: readonly Peak[]
}

export interface Taking {
  readonly groupId: string
  /** As many as there are partitions. */
  readonly keyRange: number
  readonly fence: number
  readonly atMs: number
  /** When it was given up; undefined if it was not. */
  readonly releasedAtMs: number | undefined
}

/** An effect, written in one transaction with the position of its message. */
export interface Booked {
  readonly groupId: string
  readonly text: string
  readonly atMs: number
}

export interface Skip {
  readonly groupId: string
  /** Key of the stream. */
  readonly stream: string
  readonly atMs: number
}

export interface CarriesOn {
  /** What a `send()` takes at most. */
  readonly sendMsMax: number
  /** From `send()` to the subscriber. */
  readonly deliverMsMax: number
  /** How much longer it may take while a sequence is just beginning, and how long that lasts. */
  readonly beginMsMax: number
}

export interface Peak {
  /** Of whom, and of what. */
  readonly what: string
  readonly peak: number
  readonly allowed: number
}

export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

export interface CutOff extends Span {
  readonly name: string
  readonly cluster: string
  /** When it did not ask that cluster for all that it reads, or had something of it before, so that it noticed nothing. */
  readonly distracted: readonly Span[]
}

export interface StoreTrouble extends Span {
  /** What was stored since then is forgotten; Infinity if nothing is. */
  readonly forgotSinceMs: number
  /** Consumer processes that it concerns; all if left out. */
  readonly names?: readonly string[]
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
  /** It was, or may have been, sent again as a new message by an import of dead letters. */
  readonly imported?: boolean
  /** 1, 2, 3 … over the calls of this life. */
  readonly number: number
  readonly sentAtMs: number
  readonly answer: Answer
  /** When it resolved or rejected; undefined while it is open. */
  readonly answeredAtMs: number | undefined
}

/**
 * `acknowledged`: it resolved. `not-written` and `unknown` are the outcomes of a rejection, as its error says them.
 * `open`: no answer yet; `orphaned`: none, and its process was killed.
 */
export type Answer = 'acknowledged' | 'not-written' | 'unknown' | 'open' | 'orphaned'

export interface ConsumerLife {
  readonly groupId: string
  readonly name: string
  readonly startedAtMs: number
  /** When it was killed or had closed; undefined if it lives. */
  readonly endedAtMs: number | undefined
  /** In the order in which the subscriber got them. */
  readonly deliveries: readonly Delivered[]
  /** How many late deliveries it told of by events; undefined if what it had not told yet died with it. */
  readonly lateTold: number | undefined
  /** How many messages it said were owed, by events; undefined if not known. */
  readonly owedTold?: number
  /** When it stood still (SIGSTOP). */
  readonly stops: readonly Span[]
  /** What was done with them, where that is done by `inKeyOrder`. */
  readonly service?: Service | undefined
}

export interface Service {
  /** In the order of the calls. */
  readonly handled: readonly Handled[]
  /** Messages among the dead letters. */
  readonly letters: readonly string[]
  /** Whether a message can never be handled. */
  readonly poisoned: (text: string) => boolean
}

/** A call of a handler. */
export interface Handled {
  readonly text: string
  /** Token of the lease under which it was delivered, where that is known. */
  readonly fence?: number
  readonly fromMs: number
  /** When it ended; undefined while it has not. */
  readonly toMs: number | undefined
  readonly failed: boolean
}

export interface Delivered {
  readonly text: string
  /** Token of the lease under which it was delivered, where that is known. */
  readonly fence?: number
  /** As tandem marked it. */
  readonly late: boolean
  /** As tandem marked it: again, because the subscriber had asked for it. */
  readonly redelivered: boolean
  readonly atMs: number
  readonly acknowledgedAtMs: number | undefined
  /** The subscriber asked for it again; undefined where that is not known. */
  readonly refused: boolean | undefined
}
