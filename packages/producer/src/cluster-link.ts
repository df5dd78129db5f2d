/**
 * Between a lane and its cluster: makes the clients that the lane asks for, hands them its records, and sees that a
 * client's topics are what they should be before the lane hears of it. No opinion of its own.
 *
 * Properties can change while it runs. The client that is in use stays until one with the new properties is ready: then
 * they change places, and what the old one held is in doubt and written again. If none gets ready, nothing has changed.
 */
import { ClustersUnreachableError, type ClusterDescription, type TandemError } from '@tandem/common/internal'

import type { Lane, LaneCommand } from './core/lane.js'
import type {
  ClusterClient,
  ClusterClientFactory,
  ClusterClientHandler,
  ClusterClientOptions,
} from './kafka/cluster-client.js'

/** What the link's owner decides and is told. */
export interface ClusterLinkOwner {
  /** Topics that the cluster must have. */
  readonly topics: () => readonly string[]
  /** Checks what the cluster says of them, and takes it up; the result is why the cluster must not be used. */
  readonly described: (topics: readonly string[], description: ClusterDescription) => TandemError | undefined
  readonly ready: () => void
  readonly failed: (reason: string, error?: TandemError) => void
  /** Something happened: let the cores come to rest. */
  readonly run: (now?: number) => void
}

export interface ClusterLinkOptions {
  readonly lane: Lane
  /** Whole milliseconds. */
  readonly now: () => number
  readonly clusterClient: ClusterClientFactory
  readonly client: ClusterClientOptions
  readonly owner: ClusterLinkOwner
}

type LinkCommand = Extract<LaneCommand, { readonly kind: 'connect' | 'discard' | 'describe' | 'produce' }>

export class ClusterLink {
  readonly #options: ClusterLinkOptions
  readonly #lane: Lane
  #properties: ClusterClientOptions['properties']
  #client: ClusterClient | undefined
  /** With other properties, on its way to take the place of the client. */
  #candidate: Candidate | undefined
  readonly #questions = new Set<(description: ClusterDescription | undefined, reason: string) => void>()
  #discarding = 0
  #whenQuiet: (() => void) | undefined

  constructor(options: ClusterLinkOptions) {
    this.#options = options
    this.#lane = options.lane
    this.#properties = options.client.properties
  }

  /** Those of the next client. */
  get properties(): ClusterClientOptions['properties'] {
    return this.#properties
  }

  /** Calls `done` when a client with these properties is in use, or with the reason why the one before stays. */
  replace(properties: ClusterClientOptions['properties'], done: (error?: Error) => void): void {
    this.#dropCandidate('other properties were given meanwhile')
    if (!this.#lane.connected) {
      // Nothing to lose: the next client has them.
      this.#properties = properties
      this.#lane.handleHope(this.#options.now())
      done()
      return
    }
    const candidate: Candidate = { properties, client: undefined, done }
    this.#candidate = candidate
    const ifIs = (task: () => void): void => {
      if (this.#candidate === candidate) task()
    }
    try {
      candidate.client = this.#create(properties, {
        handleConnected: () => ifIs(() => this.#surveyCandidate(candidate)),
        handleConnectFailed: (reason) => ifIs(() => this.#dropCandidate(reason)),
        handleReport: (id, offset, failure) => {
          if (this.#client === candidate.client) this.#handleReport(id, offset, failure)
        },
        handleAllReported: () => {
          if (this.#client === candidate.client) this.#options.owner.run()
        },
        handleFatal: (reason) => {
          ifIs(() => this.#dropCandidate(reason))
          if (this.#client === candidate.client) this.#handleFatal(reason)
        },
      })
    } catch (error) {
      this.#dropCandidate((error as Error).message)
      return
    }
    candidate.client.connect()
  }

  execute(command: LinkCommand, now: number): void {
    switch (command.kind) {
      case 'produce': {
        const failure = this.#client!.produce(command.id, command.write)
        if (failure !== undefined) this.#lane.handleProduceFailed(command.id, failure, now)
        return
      }
      case 'connect':
        this.#connect()
        return
      case 'discard':
        this.#discard()
        return
      case 'describe':
        this.#refresh()
        return
      default:
        throw command satisfies never
    }
  }

  /** Asks about topics; answers once, with nothing if the client is discarded meanwhile or the cluster is silent. */
  describe(
    topics: readonly string[],
    done: (description: ClusterDescription | undefined, reason: string) => void,
  ): void {
    const client = this.#client
    if (client === undefined) return done(undefined, 'not connected')
    this.#questions.add(done)
    client.describe(topics, DESCRIBE_TIMEOUT_MS, (description, reason) => {
      if (!this.#questions.delete(done)) return
      done(description, reason)
      this.#options.owner.run()
    })
  }

  /** Calls `done` when no discarded client is left. */
  whenQuiet(done: () => void): void {
    if (this.#discarding === 0) done()
    else this.#whenQuiet = done
  }

  #connect(): void {
    const { owner } = this.#options
    // A client that was discarded may still say something; by then it is not ours any more.
    const ifOurs = (task: () => void): void => {
      if (this.#client !== client) return
      task()
      owner.run()
    }
    const handler: ClusterClientHandler = {
      handleConnected: () => ifOurs(() => this.#survey()),
      handleConnectFailed: (reason) => ifOurs(() => this.#fail(reason)),
      handleReport: (id, offset, failure) => {
        if (this.#client === client) this.#handleReport(id, offset, failure)
      },
      handleAllReported: () => {
        if (this.#client === client) owner.run()
      },
      handleFatal: (reason) => {
        if (this.#client === client) this.#handleFatal(reason)
      },
    }
    let client: ClusterClient | undefined = undefined
    try {
      client = this.#create(this.#properties, handler)
    } catch (error) {
      this.#fail((error as Error).message, error as TandemError)
      return
    }
    this.#client = client
    client.connect()
  }

  #create(properties: ClusterClientOptions['properties'], handler: ClusterClientHandler): ClusterClient {
    const { clusterClient, client } = this.#options
    return clusterClient({ ...client, properties }, handler)
  }

  #handleReport(...[id, offset, failure]: Parameters<ClusterClientHandler['handleReport']>): void {
    this.#lane.handleReport(id, offset, failure, this.#options.now())
  }

  #handleFatal(reason: string): void {
    const { now, owner } = this.#options
    this.#lane.handleFatal(reason, now())
    owner.run()
  }

  /** It has connected; are the topics as they should be there, too? */
  #surveyCandidate(candidate: Candidate): void {
    const { owner, now } = this.#options
    const topics = owner.topics()
    candidate.client!.describe(topics, DESCRIBE_TIMEOUT_MS, (description, reason) => {
      if (this.#candidate !== candidate) return
      if (description === undefined) return this.#dropCandidate(reason)
      const error = owner.described(topics, description)
      if (error !== undefined) return this.#dropCandidate(error.message)
      this.#candidate = undefined
      this.#properties = candidate.properties
      if (this.#lane.connected) {
        this.#discard()
        this.#client = candidate.client
        this.#lane.handleReplaced(now())
      } else this.#letGo(candidate.client!) // the lane makes another one anyway
      candidate.done()
      owner.run()
    })
  }

  #dropCandidate(reason: string): void {
    const candidate = this.#candidate
    if (candidate === undefined) return
    this.#candidate = undefined
    if (candidate.client !== undefined) this.#letGo(candidate.client)
    const { cluster } = this.#options.client
    candidate.done(
      new ClustersUnreachableError(`no client of ${cluster} got ready with the new properties: ${reason}`, {
        clusters: { [cluster]: reason },
      }),
    )
  }

  #fail(reason: string, error?: TandemError): void {
    this.#lane.handleConnectFailed(reason, this.#options.now())
    this.#options.owner.failed(reason, error)
  }

  /** A new client's first duty: are the topics as they should be? */
  #survey(): void {
    const { owner } = this.#options
    const topics = owner.topics()
    this.describe(topics, (description, reason) => {
      if (description === undefined) {
        if (this.#client !== undefined) this.#fail(reason)
      } else if (this.#accept(topics, description)) {
        if (owner.topics().some((topic) => !topics.includes(topic))) return this.#survey()
        this.#lane.handleConnected(this.#options.now())
        owner.ready()
      }
    })
  }

  /** What is known of the cluster is brought up to date now and then. */
  #refresh(): void {
    const topics = this.#options.owner.topics()
    this.describe(topics, (description) => {
      if (description !== undefined) this.#accept(topics, description)
    })
  }

  /** Takes up what the cluster said; false if it must not be used. */
  #accept(topics: readonly string[], description: ClusterDescription): boolean {
    const { owner, now } = this.#options
    const error = owner.described(topics, description)
    if (error === undefined) return true
    this.#lane.handleMismatched(error.message, now())
    owner.failed(error.message, error)
    return false
  }

  #letGo(client: ClusterClient): void {
    this.#discarding++
    client.discard(() => {
      this.#discarding--
      if (this.#discarding === 0) this.#whenQuiet?.()
    })
  }

  #discard(): void {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    this.#letGo(client)
    const questions = [...this.#questions]
    this.#questions.clear()
    for (const done of questions) done(undefined, 'client discarded')
  }
}

/** A client that is to take the place of the one in use. */
interface Candidate {
  readonly properties: ClusterClientOptions['properties']
  client: ClusterClient | undefined
  readonly done: (error?: Error) => void
}

/** A cluster that is well answers in milliseconds; a thread of the pool is held for as long as it does not. */
const DESCRIBE_TIMEOUT_MS = 5_000
