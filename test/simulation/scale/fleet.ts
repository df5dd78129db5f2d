import { keyRangeOf } from '@tandem/common/internal'
import { beatMs } from '@tandem/consumer/internal'

import type { SentMessage } from '../checkers/history.js'
import { answerOf } from '../messages.js'
import type { Sent, SimulatedProducer } from '../simulated-producer.js'
import type { Subscriber } from '../subscribers.js'
import { World } from '../world.js'
import type { ScaleSetting } from './setting.js'

export const GROUP = 'scale'
const TOPIC = 'entries'

/** Everybody in the model: producers with what they send, and the instances of one group. */
export class Fleet {
  readonly setting: ScaleSetting
  readonly world: World
  /** Every instance there was, in the order of their starts. */
  readonly instances: Subscriber[] = []
  /** Texts that the group was given. */
  readonly given = new Set<string>()
  readonly #producers: SimulatedProducer[] = []
  /** Calls of `send()`, each with its key. */
  readonly #sent: { readonly sent: Sent; readonly key: string }[] = []

  constructor(setting: ScaleSetting) {
    const { seed, partitions } = setting
    this.setting = setting
    this.world = new World({ seed, topics: { [TOPIC]: partitions }, pollTimeoutMs: 500, bundledCalls: true })
  }

  // --- producers ------------------------------------------------------------------------------------------------

  startProducers(): void {
    for (let index = 0; index < this.setting.producers; index++) {
      const name = `producer-${index}`
      this.#producers.push(this.world.createProducer({ producerId: name, name, epochs: 'store' }).start())
    }
  }

  get connected(): boolean {
    return this.#producers.every(({ connected }) => connected)
  }

  /** All messages, evenly over so long; each producer writes under a few keys in turn. */
  send(forMs: number): void {
    const { messages, producers } = this.setting
    const everyMs = forMs / messages
    const sendNext = (number: number): void => {
      if (number === messages) return
      const key = `key-${number % producers}-${Math.floor(number / producers) % KEYS}`
      this.#sent.push({ sent: this.#producers[number % producers]!.send(`message-${number}`, { key }), key })
      this.world.timeline.schedule(begunMs + (number + 1) * everyMs, () => sendNext(number + 1))
    }
    const begunMs = this.world.now
    sendNext(0)
  }

  /** Whether all is sent and answered, and was given to the group. */
  get delivered(): boolean {
    const { messages } = this.setting
    if (this.#sent.length < messages || this.given.size < messages) return false
    return this.#sent.every(({ sent: { closedAtMs, text } }) => closedAtMs !== undefined && this.given.has(text))
  }

  /** Whether both logs have all of it. */
  get drained(): boolean {
    return this.#producers.every(({ producer }) => {
      return Object.values(producer.status().clusters).every(({ backlog, voids }) => backlog.records + voids === 0)
    })
  }

  /** As the checkers want them. */
  told(): SentMessage[] {
    const counts = new Map<string, number>()
    return this.#sent.map(({ sent, key }): SentMessage => {
      const { text, atMs: sentAtMs, closedAtMs: answeredAtMs, producer } = sent
      const producerId = producer.process.name
      const number = (counts.get(producerId) ?? 0) + 1
      counts.set(producerId, number)
      const keyRange = keyRangeOf(Buffer.from(key), this.setting.partitions)
      return { text, producerId, life: 1, key, keyRange, number, sentAtMs, answeredAtMs, answer: answerOf(sent) }
    })
  }

  // --- instances ------------------------------------------------------------------------------------------------

  startInstance(): Subscriber {
    const { world, setting } = this
    const consumer = world.createConsumer({
      groupId: GROUP,
      name: `instance-${this.instances.length}`,
      options: { leaseMs: setting.leaseMs, connectTimeoutMs: 60_000 },
      handle: ({ text }) => {
        this.given.add(text)
        return 'at-once'
      },
    })
    const instance = { consumer: consumer.start(), startedAtMs: world.now, endedAtMs: undefined }
    this.instances.push(instance)
    return instance
  }

  /** All of a group, evenly within the time between two signs of life: so are theirs then, too. */
  startGroup(): void {
    const { instances, leaseMs } = this.setting
    for (let index = 0; index < instances; index++) {
      this.world.timeline.after((index * beatMs(leaseMs)) / instances, () => this.startInstance())
    }
  }

  kill(instance: Subscriber): void {
    instance.endedAtMs = this.world.now
    instance.consumer.kill()
  }

  get living(): Subscriber[] {
    return this.instances.filter(({ endedAtMs }) => endedAtMs === undefined)
  }

  /** Those that it holds. */
  partitionsOf({ consumer }: Subscriber): number[] {
    return consumer.consumer.status().partitions.map(({ partition }) => partition)
  }

  /** How many each of those that live holds. */
  held(): number[] {
    return this.living.map((instance) => this.partitionsOf(instance).length)
  }
}

/** Of each producer. */
const KEYS = 5
