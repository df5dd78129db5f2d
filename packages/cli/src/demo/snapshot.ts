/** How things stand at one moment of the demo: what the table and the progress lines show. */
export interface Snapshot {
  readonly elapsedMs: number
  readonly messages: number
  readonly sent: number
  /** Messages sent per second, lately. */
  readonly rate: number
  readonly acknowledged: number
  readonly delivered: number
  readonly late: number
  readonly duplicatesDropped: number
  readonly clusters: readonly ClusterSnapshot[]
  /** What is being done now, in a few words. */
  readonly phase: string
}

export interface ClusterSnapshot {
  readonly name: string
  /** `up`, or what was done to it. */
  readonly condition: string
  readonly circuit: string
  /** Records that wait for this cluster. */
  readonly backlog: number
  readonly feed: string
  /** Messages held back from this feed until an older one comes. */
  readonly held: number
}
