/** A look at a producer, for people and for health checks; nothing in it is a promise. */
export interface ProducerStatus {
  readonly state: 'idle' | 'connecting' | 'connected' | 'closing' | 'closed'
  /** Undefined until connect() has taken one. */
  readonly epoch: number | undefined
  readonly incarnation: number | undefined
  /** The window: stamped, and neither resolved nor rejected; and what waits to be stamped. */
  readonly unacknowledged: { readonly messages: number; readonly bytes: number; readonly waiting: number }
  readonly clusters: { readonly [cluster: string]: ClusterStatus }
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
  /** Messages that only this cluster has: lost if it is lost now. */
  readonly exposure: number
}
