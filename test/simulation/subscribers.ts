import { classify, type Handlers } from './handlers.js'
import { CLUSTERS, GROUPS, INSTANCES_MAX, LATECOMER, type Setting } from './plan.js'
import type { SimulatedConsumer, SimulatedConsumerOptions } from './simulated-consumer.js'
import type { World } from './world.js'

export interface Subscriber {
  readonly consumer: SimulatedConsumer
  readonly startedAtMs: number
  endedAtMs: number | undefined
}

interface Subscription {
  readonly groupId: string
  lives: number
  /** In the order of their starts. */
  readonly instances: Subscriber[]
  /** How many there should be. */
  wanted: number
}

/** Who subscribes: groups, and their instances. One of a group is meant by its number among those that live. */
export class Subscribers {
  /** Every instance there was, in the order of their starts. */
  readonly all: Subscriber[] = []
  readonly #world: World
  readonly #setting: Setting
  readonly #handlers: Handlers
  readonly #subscriptions = new Map<string, Subscription>()

  constructor(world: World, setting: Setting, handlers: Handlers) {
    this.#world = world
    this.#setting = setting
    this.#handlers = handlers
  }

  /** In the order of their first starts. */
  get groups(): string[] {
    return [...this.#subscriptions.keys()]
  }

  /** As many as the group should have. */
  start(groupId: string): void {
    let subscription = this.#subscriptions.get(groupId)
    if (subscription === undefined) {
      const wanted = groupId === LATECOMER ? 1 : this.#setting.instances
      subscription = { groupId, lives: 0, instances: [], wanted }
      this.#subscriptions.set(groupId, subscription)
    }
    while (this.living(groupId).length < subscription.wanted) this.#start(subscription)
  }

  living(groupId: string): Subscriber[] {
    return this.#subscriptions.get(groupId)!.instances.filter(({ endedAtMs }) => endedAtMs === undefined)
  }

  /** The one that is meant, if any lives. */
  alive(groupId: string, instance = 0): Subscriber | undefined {
    const living = this.living(groupId)
    return living[instance % living.length]
  }

  // --- faults, which return whether they changed anything -------------------------------------------------------

  /** Closes one in an orderly way, and starts what the group lacks then. */
  restart(groupId: string, instance?: number): boolean {
    const subscriber = this.alive(groupId, instance)
    if (subscriber === undefined || subscriber.consumer.process.state !== 'running') return false
    void subscriber.consumer.close().then(() => {
      if (subscriber.endedAtMs !== undefined) return
      this.#end(subscriber)
      this.start(groupId)
    })
    return true
  }

  /** One more. */
  add(groupId: string): boolean {
    const subscription = this.#subscriptions.get(groupId)!
    if (subscription.wanted >= INSTANCES_MAX) return false
    subscription.wanted++
    this.start(groupId)
    return true
  }

  /** One less, closed in an orderly way. */
  remove(groupId: string, instance: number): boolean {
    const subscription = this.#subscriptions.get(groupId)!
    if (subscription.wanted === 1 || !this.restart(groupId, instance)) return false
    subscription.wanted--
    return true
  }

  kill(groupId: string, instance?: number): boolean {
    const subscriber = this.alive(groupId, instance)
    if (subscriber === undefined) return false
    this.#end(subscriber)
    return true
  }

  /** `replaced`: it is taken for dead, and another one takes its place before it goes on. */
  stop({ group, instance, forMs, replaced }: Stop): boolean {
    const subscriber = this.alive(group, instance)
    if (subscriber === undefined || subscriber.consumer.process.state !== 'running') return false
    subscriber.consumer.stop()
    this.#world.timeline.after(forMs, () => subscriber.consumer.continue())
    if (replaced && this.living(group).length < INSTANCES_MAX) this.#start(this.#subscriptions.get(group)!)
    return true
  }

  /** Faults are over: what was stopped goes on, and every group is as large as it should be. */
  heal(): void {
    for (const { consumer } of this.all) consumer.continue()
    for (const groupId of GROUPS) this.start(groupId)
  }

  // --- instances ------------------------------------------------------------------------------------------------

  #start(subscription: Subscription): void {
    const { groupId } = subscription
    const setting = this.#setting
    const consumer = this.#world.createConsumer({
      groupId,
      name: `${groupId}-${++subscription.lives}`,
      options: {
        gapTimeoutMs: setting.gapTimeoutMs,
        holeTimeoutMs: setting.holeTimeoutMs,
        feedAwayAfterMs: setting.feedAwayAfterMs,
        heldMessagesMax: setting.heldMessagesMax,
        unacknowledgedMax: unacknowledgedMaxOf(groupId, setting),
        from: groupId === LATECOMER ? 'earliest' : setting.from,
        order: groupId === LATECOMER ? 'late' : setting.order,
        unstamped: setting.unstamped ? { deliver: CLUSTERS[0] } : 'event',
        connectTimeoutMs: 60_000,
      },
      handle: (seen) => this.#handlers.handle(seen),
      service: groupId === GROUPS[0] && setting.keyConcurrency > 0 ? this.#service(groupId) : undefined,
    })
    const subscriber = { consumer, startedAtMs: this.#world.now, endedAtMs: undefined }
    subscription.instances.push(subscriber)
    this.all.push(subscriber)
    consumer.start()
    this.#keepAlive(groupId, subscriber)
  }

  #service(groupId: string): SimulatedConsumerOptions['service'] {
    const { keyConcurrency, books } = this.#setting
    return {
      handle: (text) => this.#handlers.fateOf(groupId, text),
      bury: () => this.#handlers.fateOfLetter(),
      books,
      options: { concurrency: keyConcurrency, classify, retry: { delayMsMax: 2_000 } },
    }
  }

  /** A consumer that could not start is started again, as any service is. */
  #keepAlive(groupId: string, subscriber: Subscriber): void {
    this.#world.timeline.after(5_000, () => {
      if (subscriber.endedAtMs !== undefined) return
      if (subscriber.consumer.failure === undefined) {
        this.#keepAlive(groupId, subscriber)
      } else {
        this.#end(subscriber)
        this.start(groupId)
      }
    })
  }

  #end(subscriber: Subscriber): void {
    subscriber.endedAtMs = this.#world.now
    subscriber.consumer.kill()
  }
}

/** What a group may have in hand. Nothing happens to the one that comes last; it has to be quick. */
export function unacknowledgedMaxOf(groupId: string, { unacknowledgedMax }: Setting): number {
  return groupId === LATECOMER ? 10_000 : unacknowledgedMax
}

interface Stop {
  readonly group: string
  readonly instance?: number
  readonly forMs: number
  readonly replaced: boolean
}
