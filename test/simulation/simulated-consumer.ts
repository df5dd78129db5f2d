import { isTandemError, type TandemEvent } from '@tandem/common/internal'
import { Consumer, type ConsumerOptions, type Delivery, type FeedPosition, type Hole } from '@tandem/consumer/internal'
import { tap, type Observable } from 'rxjs'

import { SimulatedFeedClient } from './simulated-feed-client.js'
import type { Channel, SimulatedProcess } from './simulated-process.js'
import { SimulatedService, type SimulatedServiceOptions } from './simulated-service.js'
import type { World } from './world.js'

/** What a handler does with a delivery: acknowledges at once or after so many ms, leaves it open, asks for it again. */
export type Handling = 'at-once' | 'never' | 'again' | number

/** A delivery as the outside saw it. */
export interface Seen {
  readonly groupId: string
  readonly consumer: SimulatedConsumer
  /** The payload as text. */
  readonly text: string
  readonly delivery: Delivery<Buffer | null>
  readonly late: boolean
  readonly redelivered: boolean
  readonly atMs: number
  acknowledgedAtMs: number | undefined
  /** The subscriber asked for it again; undefined where an operator does so by itself. */
  refused: boolean | undefined
}

export interface SimulatedConsumerOptions {
  readonly groupId: string
  readonly name: string
  /** Anything but what the world provides. */
  readonly options?: Partial<ConsumerOptions>
  readonly handle?: (seen: Seen) => Handling
  /** Handles in key order instead. */
  readonly service?:
    (Pick<SimulatedServiceOptions, 'handle' | 'bury' | 'options'> & { readonly books?: boolean }) | undefined
}

/** A process that runs the shipped Consumer with a subscriber of the test's. */
export class SimulatedConsumer {
  readonly groupId: string
  readonly process: SimulatedProcess
  readonly consumer: Consumer<Buffer | null>
  readonly deliveries: Seen[] = []
  readonly events: TandemEvent[] = []
  /** When it stood still. */
  readonly stops: { readonly fromMs: number; toMs: number }[] = []
  /** Where each feed was told to read, in the order of telling. */
  readonly assignments: (FeedPosition & { readonly cluster: string })[] = []
  /** All that it had, with their clusters. */
  readonly feedClients: { readonly cluster: string; readonly client: SimulatedFeedClient }[] = []
  /** What ended `deliveries$`. */
  failure: unknown
  completed = false
  /** In an orderly way, so that it has told all that it had to. */
  closed = false
  /** What handles in key order, if anything does. */
  readonly service: SimulatedService | undefined
  readonly #world: World
  readonly #channel: Channel = { name: 'handler' }
  readonly #handle: (seen: Seen) => Handling

  constructor(world: World, { groupId, name, options, handle, service }: SimulatedConsumerOptions) {
    this.#world = world
    this.groupId = groupId
    this.#handle = handle ?? (() => 'at-once')
    const process = world.createProcess(name)
    this.process = process
    const book = service?.books === true ? this.#createBook() : undefined
    this.service = service && new SimulatedService({ ...service, book, process, timeline: world.timeline })
    let ids = 0
    this.consumer = new Consumer<Buffer | null>(
      {
        groupId,
        clusters: world.clusterProperties(),
        topics: world.topics,
        highWater: world.store.connection(process),
        ...options,
      },
      {
        clock: process.clock,
        createId: () => `${name}#${++ids}`,
        hostName: name,
        threadPoolSize: 16,
        expiry: world.settings.expiry,
        createFeedClient: (clientOptions, handler) => {
          const cluster = world.cluster(clientOptions.cluster)
          const { pollTimeoutMs, readRecordsMax } = world.settings
          const client = new SimulatedFeedClient(clientOptions, handler, {
            cluster,
            process,
            pollTimeoutMs,
            readRecordsMax,
          })
          this.feedClients.push({ cluster: cluster.name, client })
          const assign = client.assign.bind(client)
          client.assign = (positions) => {
            for (const position of positions) this.assignments.push({ ...position, cluster: cluster.name })
            assign(positions)
          }
          return client
        },
      },
    )
    this.consumer.events$.subscribe((event) => this.events.push(event))
  }

  start(): this {
    const { deliveries$ } = this.consumer
    this.#operated(deliveries$).subscribe({
      error: (error: unknown) => (this.failure = error),
      complete: () => (this.completed = true),
    })
    return this
  }

  /** Events of one kind so far. */
  count(kind: TandemEvent['kind']): number {
    return this.events.filter((event) => event.kind === kind).length
  }

  acknowledge(seen: Seen): void {
    this.process.deliver(this.#channel, () => {
      seen.acknowledgedAtMs ??= this.#world.now
      seen.delivery.ack()
    })
  }

  /** An operator's word; whether it was heard shows. */
  skip(hole: Hole): void {
    this.process.deliver(this.#channel, () => {
      this.consumer.skip(hole).catch((error: unknown) => {
        if (!isTandemError(error)) throw error
      })
    })
  }

  kill(): void {
    this.process.kill()
  }

  stop(): void {
    if (this.process.state === 'running') this.stops.push({ fromMs: this.#world.now, toMs: Infinity })
    this.process.stop()
  }

  continue(): void {
    const stop = this.stops.at(-1)
    if (stop !== undefined) stop.toMs = Math.min(stop.toMs, this.#world.now)
    this.process.continue()
  }

  /** As `consumer.close()`; to be run after. */
  async close(): Promise<void> {
    await this.consumer.close()
    this.closed = true
  }

  /** Its effects stand in the store, each in a transaction with the position of its message. */
  #createBook(): SimulatedServiceOptions['book'] {
    const { groupId } = this
    const book = this.#world.store.booker(this.process)
    return async ({ topic, partition, keyRange, position, fence }, text) => {
      const answer = await book({ groupId, topic, partition, keyRange, position, fence }, text)
      if (answer === 'fenced' || answer === 'unknown') throw new Error(`${text} is not booked: ${answer}`)
    }
  }

  #operated(deliveries$: Observable<Delivery<Buffer | null>>): Observable<Delivery<Buffer | null>> {
    if (this.service === undefined) return deliveries$.pipe(tap((delivery) => this.#handleSeen(this.#see(delivery))))
    const seen = new Map<Delivery, Seen[]>()
    return deliveries$.pipe(
      tap((delivery) => seen.set(delivery, [...(seen.get(delivery) ?? []), this.#see(delivery)])),
      this.service.operate,
      tap((delivery) => {
        for (const one of seen.get(delivery)!) one.acknowledgedAtMs = this.#world.now
      }),
    )
  }

  #see(delivery: Delivery<Buffer | null>): Seen {
    const seen: Seen = {
      groupId: this.groupId,
      consumer: this,
      text: delivery.bytes?.toString() ?? '',
      delivery,
      late: delivery.late,
      redelivered: delivery.redelivered,
      atMs: this.#world.now,
      acknowledgedAtMs: undefined,
      refused: this.service === undefined ? false : undefined,
    }
    this.deliveries.push(seen)
    this.#world.handleDelivered(seen)
    return seen
  }

  #handleSeen(seen: Seen): void {
    const handling = this.#handle(seen)
    if (handling === 'at-once') this.acknowledge(seen)
    else if (handling === 'again') this.#refuse(seen)
    else if (handling !== 'never') this.#world.timeline.after(handling, () => this.#finish(seen))
  }

  /** As one that looks at the signal before the effect begins. */
  #finish(seen: Seen): void {
    this.process.deliver(this.#channel, () => {
      if (seen.delivery.signal.aborted) this.#refuse(seen)
      else this.acknowledge(seen)
    })
  }

  #refuse(seen: Seen): void {
    this.process.deliver(this.#channel, () => {
      seen.refused = true
      seen.delivery.nack()
    })
  }
}
