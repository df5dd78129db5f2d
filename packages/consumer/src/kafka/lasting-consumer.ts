import rdkafka from 'node-rdkafka'

/**
 * A client of librdkafka's that outlives its brokers.
 *
 * librdkafka lets go of every broker that its cluster does not name. A cluster whose brokers are all fenced names none
 * for a moment, as one does that stood still for longer than its `broker.session.timeout.ms`: who asks in that moment
 * knows no broker from then on, and finds none again, since it may not bootstrap again (`metadata.recovery.strategy`).
 * Its statistics show that. Another one is connected then and waits to take its place. It begins with the brokers that
 * the first one found, so that it cannot end up in another cluster.
 */
export class LastingConsumer {
  readonly #create: (bootstrapServers: string | undefined) => rdkafka.KafkaConsumer
  readonly #connectTimeoutMs: number
  #current: rdkafka.KafkaConsumer
  #successor: { readonly client: rdkafka.KafkaConsumer; connected: boolean } | undefined
  readonly #connecting = new Set<rdkafka.KafkaConsumer>()
  #brokers: string | undefined
  #closed = false

  /** @param create makes a client of given brokers; of those that the user named, if none are given. */
  constructor(create: (bootstrapServers: string | undefined) => rdkafka.KafkaConsumer, connectTimeoutMs: number) {
    this.#create = create
    this.#connectTimeoutMs = connectTimeoutMs
    this.#current = create(undefined)
  }

  get current(): rdkafka.KafkaConsumer {
    return this.#current
  }

  connect(done: (error: rdkafka.LibrdKafkaError | undefined, metadata: rdkafka.Metadata) => void): void {
    this.#connect(this.#current, done)
  }

  /** Of the current one, which bring them for as long as it is polled. */
  handleStatistics({ brokers }: BrokerStatistics): void {
    if (this.#closed || this.#successor !== undefined || knowsBroker(brokers)) return
    const successor = { client: this.#create(this.#brokers), connected: false }
    this.#successor = successor
    this.#connect(successor.client, (error) => {
      successor.connected = !error
      if (successor.connected) return
      // The next statistics call for another one.
      this.#successor = undefined
      disconnect(successor.client, () => undefined)
    })
  }

  /** Lets the one that waits take the place of the current one. @returns whether there was one. */
  replace(): boolean {
    const successor = this.#successor
    if (successor?.connected !== true) return false
    disconnect(this.#current, () => undefined)
    this.#current = successor.client
    this.#successor = undefined
    return true
  }

  close(done: () => void): void {
    this.#closed = true
    const clients = this.#successor === undefined ? [this.#current] : [this.#current, this.#successor.client]
    let open = clients.length
    const closed = (): void => {
      if (--open === 0) done()
    }
    for (const client of clients) {
      // One that is connecting is let go of when that is over; it would keep the process alive otherwise.
      if (this.#connecting.has(client)) setImmediate(closed)
      else disconnect(client, closed)
    }
  }

  #connect(
    client: rdkafka.KafkaConsumer,
    done: (error: rdkafka.LibrdKafkaError | undefined, metadata: rdkafka.Metadata) => void,
  ): void {
    this.#connecting.add(client)
    client.connect({ timeout: this.#connectTimeoutMs, allTopics: true }, (error, metadata) => {
      this.#connecting.delete(client)
      if (this.#closed) {
        disconnect(client, () => undefined)
        return
      }
      const { brokers } = error ? { brokers: [] } : metadata
      if (brokers.length > 0) this.#brokers = brokers.map(addressOf).join()
      done(error ?? undefined, metadata)
    })
  }
}

/** STATISTICS.md of librdkafka; what is used of it. */
export interface BrokerStatistics {
  readonly brokers: Readonly<Record<string, { readonly source: string }>>
}

/** Others than these stand for no broker. */
function knowsBroker(brokers: BrokerStatistics['brokers']): boolean {
  return Object.values(brokers).some(({ source }) => source === 'configured' || source === 'learned')
}

function addressOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Lets go of a client. The native part of one that is not connected holds on to our callbacks, and by them to itself,
 * until they are taken back: every attempt of a long outage would stay in memory.
 */
function disconnect(client: rdkafka.KafkaConsumer, done: () => void): void {
  if (client.isConnected()) {
    client.disconnect(done)
    return
  }
  const native = client as unknown as NativeClient
  native.getClient().configureCallbacks(false, native._cb_configs)
  setImmediate(done)
}

/** What is used of node-rdkafka and not in its types. */
interface NativeClient {
  getClient(): { configureCallbacks(add: boolean, callbacks: unknown): void }
  readonly _cb_configs: unknown
}
