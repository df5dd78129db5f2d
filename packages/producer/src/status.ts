import type { Position } from '@tandem/common'

/** A look at a producer, for people and for health checks; nothing in it is a promise. */
export interface ProducerStatus {
  readonly state: 'idle' | 'connecting' | 'connected' | 'closing' | 'closed'
  /** Undefined until connect() has taken one. */
  readonly epoch: number | undefined
  readonly incarnation: number | undefined
  /** The window: stamped, and neither resolved nor rejected; and what waits to be stamped. */
  readonly unacknowledged: { readonly messages: number; readonly bytes: number; readonly waiting: number }
  readonly clusters: { readonly [cluster: string]: ClusterStatus }
  /** What is on disk and not in both logs yet, about; undefined without a journal. */
  readonly journal:
    | {
        readonly entries: number
        readonly bytes: number
        /** Whether it takes records now. */
        readonly usable: boolean
        /** Messages that wait for an import. */
        readonly deadLetters: number
      }
    | undefined
}

export interface ClusterStatus {
  readonly connected: boolean
  readonly away: boolean
  /** The worst of its partitions. */
  readonly circuit: 'closed' | 'open' | 'half-open'
  readonly circuits: { readonly closed: number; readonly open: number; readonly 'half-open': number }
  /** Records not yet acknowledged by this cluster, queued or in its client. */
  readonly backlog: { readonly records: number; readonly bytes: number }
  /** Runs of counters that are still to be voided there. */
  readonly voids: number
  /** Age of the oldest of the backlog. */
  readonly oldestUnacknowledgedMs: number | undefined
  /** Records in the journal that are still to be written here, about. */
  readonly onDisk: number
  /** Acknowledged messages that only this cluster has: lost if it is lost now. Of those on disk, see `onDisk`. */
  readonly exposure: {
    readonly messages: number
    readonly bytes: number
    /** Since when it alone has the oldest. */
    readonly oldestMs: number | undefined
  }
}

export interface ClosingReport {
  /**
   * Messages that were stamped and whose sends were still open: rejected by closing, each saying what may be concluded.
   * Unless `acknowledge` is `one`, a single cluster may have acknowledged some of them.
   */
  readonly unsettled: readonly Position[]
  /**
   * Per cluster: messages that the other one acknowledged in this producer's life, and this one did not. What was being
   * written to it in the end it may have all the same; of what it refused, or what was given up, there were events.
   * What is in the journal is not among them.
   */
  readonly missing: { readonly [cluster: string]: number }
  /** Records in the journal that the next life writes, about. */
  readonly journaled: number
}
