import { Handlers } from './handlers.js'
import { Losses } from './losses.js'
import { Messages } from './messages.js'
import { Operator } from './operator.js'
import { GROUPS, TOPIC, type Plan, type Setting } from './plan.js'
import type { Prng } from './prng.js'
import { Senders } from './senders.js'
import type { SimulatedConsumer } from './simulated-consumer.js'
import { Subscribers } from './subscribers.js'
import { World } from './world.js'

/** A world as a plan sets it, and everybody in it; what is done to it is in faults.ts, and when, in play.ts. */
export class Deployment {
  readonly setting: Setting
  readonly world: World
  /** Chance of the application. */
  readonly prng: Prng
  readonly senders: Senders
  readonly messages: Messages
  readonly handlers: Handlers
  readonly subscribers: Subscribers
  readonly losses: Losses
  readonly operator: Operator
  /** Nothing is old while something may be written late. */
  readonly expiry = { everyMs: 5_000, ageMs: 86_400_000 }

  /** Nobody has started yet. Who is given chance before whom is part of what a seed stands for. */
  constructor({ seed, setting }: Plan) {
    this.setting = setting
    const world = new World({
      seed,
      topics: { [TOPIC]: setting.partitions },
      brokers: setting.brokers,
      latencyMs: setting.latencyMs,
      pollTimeoutMs: 500,
      readRecordsMax: setting.readRecordsMax,
      writeRecordsMax: setting.writeRecordsMax,
      ...(setting.aged === undefined ? {} : { expiry: this.expiry }),
    })
    this.world = world
    for (const cluster of world.clusters) {
      cluster.lateAppendPercent = setting.lateAppendPercent
      cluster.hollowPercent = ['all', cluster.name].includes(setting.suffering) ? setting.hollowPercent : 0
    }
    this.prng = world.fork()
    this.senders = new Senders(world, setting)
    this.messages = new Messages(world, setting, this.senders)
    this.handlers = new Handlers(world.timeline, this.prng, setting)
    this.subscribers = new Subscribers(world, setting, this.handlers)
    this.losses = new Losses(world)
    this.operator = new Operator(world, world.fork(), () => this.#living())
  }

  /** Of the groups that are there from the beginning. */
  #living(): SimulatedConsumer[] {
    return GROUPS.flatMap((groupId) => this.subscribers.living(groupId).map(({ consumer }) => consumer))
  }
}
