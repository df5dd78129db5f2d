/**
 * A Kafka cluster that a test starts and takes away: what `LocalCluster` and `KafkaCluster` have in common.
 *
 * A test written against this runs on either.
 */
export interface TestCluster extends AsyncDisposable {
  /** For `bootstrap.servers`; the same for as long as the cluster exists, over restarts too. */
  readonly bootstrapServers: string
  readonly state: ServiceState
  /** Creates a topic and waits until each of its partitions has a leader. */
  createTopic(name: string, options?: TopicOptions): Promise<void>
  /**
   * Stops every thread of the cluster: connections stay open, nothing is answered, nothing is lost. Resolves when it
   * really stands.
   */
  hang(): Promise<void>
  /** Takes a hang back. */
  resume(): Promise<void>
  /** SIGKILL, as when the power fails. */
  kill(): Promise<void>
  /** Ends it for good and removes what it stored. */
  stop(): Promise<void>
}

/** `killed` also if it ended by itself; `stopped` is for good. */
export type ServiceState = 'running' | 'hung' | 'killed' | 'stopped'

export interface TopicOptions {
  /** 4 by default, which is also all that the embedded cluster can do. */
  readonly partitions?: number
  /** Kafka's own configuration of a topic, such as `{ 'max.message.bytes': '2000000' }`; real clusters only. */
  readonly config?: Readonly<Record<string, string>>
  /** On how many nodes each partition is; real clusters only, and by default three or as many nodes as there are. */
  readonly replicas?: number
}
