/**
 * A schedule as data: in which world, who sends what and when, and what goes wrong. A seed draws one (draw-plan.ts),
 * `play` lets it happen, and shrinking leaves parts of it out until nothing can be spared.
 */
export interface Plan {
  /** Of the world's own chance: latencies, who is first, what of a socket survives. */
  readonly seed: number
  readonly setting: Setting
  /** In the order of their times. */
  readonly steps: readonly Step[]
}

export interface Setting {
  /** How long things go wrong, before all is healed. */
  readonly minutes: number
  readonly partitions: number
  readonly brokers: number
  readonly latencyMs: readonly [low: number, high: number]
  readonly readRecordsMax: number
  readonly writeRecordsMax: number
  readonly producers: number
  readonly epochs: 'store' | 'clock'
  readonly acknowledge: 'one' | 'available' | 'both'
  readonly whenBothAway: 'reject' | 'block' | 'journal'
  readonly journal: 'off' | 'on-outage' | 'always' | 'dead-letter'
  readonly sendTimeoutMs: number
  readonly backlogBytesMax: number
  /** The journal's. */
  readonly copyAgeMaxMs: number
  /** What each message carries besides its text, in a header: with much of it a small backlog is soon full. */
  readonly paddingBytes: number
  readonly gapTimeoutMs: number
  readonly holeTimeoutMs: number
  readonly feedAwayAfterMs: number
  readonly heldMessagesMax: number
  readonly unacknowledgedMax: number
  /** Where groups are born. At `latest` nothing is sent before they are, so that all of it is theirs. */
  readonly from: 'earliest' | 'latest'
  /** Of a hundred requests that a discarded client left in the sockets of a hung cluster, how many are carried out. */
  readonly lateAppendPercent: number
  /** Of a hundred batches that a broker knows again, how many it acknowledges without an offset. */
  readonly hollowPercent: number
  /** A handler takes up to so long; with what comes late, up to so long. */
  readonly handleMs: number
  readonly handleLateMs: number
  /** Of a hundred deliveries, how many the handler asks for again. */
  readonly refusedPercent: number
  readonly order: 'late' | 'strict'
  /** Of the topic; and how long frames are kept open, if it is that. */
  readonly framing: 'record' | 'frame'
  readonly lingerMs: number
  /** Somebody writes to the east without a stamp, and groups are given that as well. */
  readonly unstamped: boolean
  /** When all is at rest, time passes until it is old, and the same producers write again; undefined if that does not happen. */
  readonly aged: Aged | undefined
  /** The first group, which handles in key order, books: its store is the database of its effects. */
  readonly books: boolean
  /** Of each group, of those that are there from the beginning. */
  readonly instances: number
  /** The first group handles by `inKeyOrder`, so many at a time; 0 if it does not. */
  readonly keyConcurrency: number
  /**
   * To whom anything happens. One cluster: nothing to the other one, nor to any process. `readers`: consumers, their
   * handlers and their store suffer, and east refuses records; both logs are written without delay and can be read.
   */
  readonly suffering: 'all' | ClusterName | 'readers'
}

/** What retention leaves of the logs. */
export interface Aged {
  /** Records of each log. */
  readonly left: number
  /** Of this cluster it leaves all; and then it loses some of the ends to a power failure, so that it is read again. */
  readonly kept: ClusterName | undefined
}

export type ClusterName = (typeof CLUSTERS)[number]
export const CLUSTERS = ['east', 'west'] as const
/** Residue of `refused-for-good` for all records. */
export const ALL = -1

/** Of every schedule. */
export const TOPIC = 'entries'

/** Groups that consume from the beginning. */
export const GROUPS = ['balances', 'audit'] as const
export type Group = (typeof GROUPS)[number]
/** One more group, which comes when all is at rest and has to be given the same. */
export const LATECOMER = 'latecomer'

/** Of one group at a time. */
export const INSTANCES_MAX = 4

/** Fault kinds by the names of docs/protocol.md; those whose part is not built yet do not occur. */
export const FAULTS = [
  'producer-kill',
  'producer-stop',
  'consumer-kill',
  'consumer-stop',
  'answer-lost',
  'late-append',
  'client-discard',
  'cluster-dead',
  'cluster-hung',
  'cluster-slow',
  'cluster-flap',
  'partition-leaderless',
  'tail-lost',
  'tail-refilled',
  'log-start-moved',
  'cluster-rebuilt',
  'partition-grown',
  'redis-away',
  'redis-away-for-one',
  'redis-rolled-back',
  'redis-emptied',
  'clock-back',
  'clock-forward',
  'same-producer-id',
  'journal-full',
  'journal-torn',
  'journal-late',
  'one-sided-reach',
  'handler-stuck',
  'refused-for-good',
  'instance-added',
  'instance-removed',
  'consumer-clock',
  'redis-clock',
] as const
export type FaultKind = (typeof FAULTS)[number]

/** `instance`: of those of the group that live then, in the order of their starts; the first if left out. */
export type Step = { readonly atMs: number } & (
  | { readonly kind: 'send'; readonly producer: number; readonly key: number; readonly count: number }
  /** Somebody who knows of one cluster only writes to it, if it is there. */
  | { readonly kind: 'unstamped'; readonly key: number; readonly count: number }
  /** What lies among its dead letters is imported, for so long at most. */
  | { readonly kind: 'import'; readonly producer: number; readonly timeoutMs: number }
  /** Planned restarts: closed in an orderly way, started again. */
  | { readonly kind: 'producer-restart'; readonly producer: number }
  | { readonly kind: 'consumer-restart'; readonly group: Group; readonly instance?: number }
  | { readonly kind: 'producer-kill'; readonly producer: number; readonly forMs: number }
  /** `replaced`, also of a consumer: it is taken for dead, and another process takes its place before it goes on. */
  | { readonly kind: 'producer-stop'; readonly producer: number; readonly forMs: number; readonly replaced: boolean }
  | { readonly kind: 'same-producer-id'; readonly producer: number }
  | { readonly kind: 'consumer-kill'; readonly group: Group; readonly instance?: number; readonly forMs: number }
  | {
      readonly kind: 'consumer-stop'
      readonly group: Group
      readonly instance?: number
      readonly forMs: number
      readonly replaced: boolean
    }
  /** One more of a group, or one less, closed in an orderly way. */
  | { readonly kind: 'instance-added'; readonly group: Group }
  | { readonly kind: 'instance-removed'; readonly group: Group; readonly instance: number }
  /** The clock of the machine is set. */
  | { readonly kind: 'consumer-clock'; readonly group: Group; readonly instance: number; readonly byMs: number }
  | { readonly kind: 'redis-clock'; readonly byMs: number }
  | { readonly kind: 'cluster-dead' | 'cluster-hung'; readonly cluster: ClusterName; readonly forMs: number }
  | {
      readonly kind: 'cluster-slow'
      readonly cluster: ClusterName
      readonly forMs: number
      readonly byMs: number
      readonly requests: 'all' | 'read' | 'write' | 'query'
    }
  | { readonly kind: 'cluster-flap'; readonly cluster: ClusterName; readonly times: number; readonly everyMs: number }
  | {
      readonly kind: 'partition-leaderless'
      readonly cluster: ClusterName
      readonly partition: number
      readonly forMs: number
    }
  /** Its power fails; when it is back, the last records of each of its logs are gone; `tail-refilled`: and consumers cannot read for a while
   * what is written in their place. */
  | {
      readonly kind: 'tail-lost' | 'tail-refilled'
      readonly cluster: ClusterName
      readonly count: number
      readonly forMs: number
    }
  /** The same, with all of its logs empty. */
  | { readonly kind: 'cluster-rebuilt'; readonly cluster: ClusterName; readonly forMs: number }
  /** Retention removes all but the last `left` records of each log. */
  | { readonly kind: 'log-start-moved'; readonly cluster: ClusterName; readonly left: number }
  | {
      readonly kind: 'answer-lost'
      readonly cluster: ClusterName
      readonly percent: number
      readonly forMs: number
    }
  /** A producer or a group's consumer cannot reach a cluster that is well. */
  | {
      readonly kind: 'one-sided-reach'
      readonly who: number | Group
      readonly instance?: number
      readonly cluster: ClusterName
      readonly forMs: number
    }
  | { readonly kind: 'redis-away'; readonly forMs: number }
  | {
      readonly kind: 'redis-away-for-one'
      readonly group: Group
      readonly instance?: number
      readonly forMs: number
    }
  | { readonly kind: 'redis-rolled-back'; readonly byMs: number }
  | { readonly kind: 'redis-emptied' }
  | { readonly kind: 'journal-full' | 'journal-late'; readonly forMs: number; readonly by: number }
  | { readonly kind: 'journal-torn' }
  | { readonly kind: 'clock-back' | 'clock-forward'; readonly producer: number; readonly byMs: number }
  | { readonly kind: 'handler-stuck'; readonly group: Group; readonly forMs: number }
  /** Records of certain sizes are refused, as if too large (`residue` 0, 1), one here and one there (2, 3), or all (`ALL`). */
  | {
      readonly kind: 'refused-for-good'
      readonly cluster: ClusterName
      readonly residue: number
      readonly forMs: number
    }
)

export function isCluster(suffering: Setting['suffering']): suffering is ClusterName {
  return suffering !== 'all' && suffering !== 'readers'
}

/** By when every group is born that finds one cluster and the store. */
export const BORN_MS = 20_000

/** I8: the time within which all comes to rest; of what stands until it is skipped, one stall may follow on another. */
export function restMs({ feedAwayAfterMs, holeTimeoutMs, gapTimeoutMs, order }: Setting): number {
  const stalls = order === 'strict' ? STALLS_MAX : 0
  return feedAwayAfterMs + (1 + stalls) * holeTimeoutMs + gapTimeoutMs + 30_000
}

const STALLS_MAX = 3
