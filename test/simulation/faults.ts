import type { CutOff, StoreTrouble } from './checkers/history.js'
import type { SimulatedCluster } from './cluster.js'
import type { Deployment } from './deployment.js'
import { messagesIn } from './log-messages.js'
import { FAULTS, GROUPS, TOPIC, type FaultKind, type Step } from './plan.js'
import type { SimulatedProcess } from './simulated-process.js'

/** Of a plan, what is not the application's. */
type FaultStep = Exclude<Step, { kind: 'send' | 'unstamped' | 'import' }>

/** What happens to a deployment, until it is healed. */
export class Faults {
  readonly #deployment: Deployment
  readonly #counts = Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>
  readonly #storeTroubles: (Omit<StoreTrouble, 'toMs'> & { toMs: number })[] = []
  readonly #cutOffs: (Omit<CutOff, 'toMs' | 'distracted'> & { toMs: number })[] = []
  #healing = false

  constructor(deployment: Deployment) {
    this.#deployment = deployment
  }

  /** When the store could not be reached, or forgot. */
  get storeTroubles(): readonly StoreTrouble[] {
    return this.#storeTroubles
  }

  /** When a process could not reach a cluster that others could reach. */
  get cutOffs(): readonly Omit<CutOff, 'distracted'>[] {
    return this.#cutOffs
  }

  take(step: FaultStep): void {
    if (this.#happens(step) && isFault(step.kind)) this.#counts[step.kind]++
  }

  /** How often each kind occurred; of some it shows only afterwards. */
  counts(): Record<FaultKind, number> {
    const { world, senders, handlers } = this.#deployment
    return {
      ...this.#counts,
      'late-append': sum(world.clusters.map(({ counts }) => counts.lateAppends)),
      'answer-lost': sum(world.clusters.map(({ counts }) => counts.answersLost)),
      'client-discard': sum(senders.producers.map((producer) => producer.count('client-discarded'))),
      'handler-stuck': handlers.stuckCount,
    }
  }

  /** Nothing is wrong any more with clusters, store and disks, nor with the ways to them. */
  heal(): void {
    const { world, subscribers } = this.#deployment
    this.#healing = true
    for (const cluster of world.clusters) {
      cluster.restart()
      cluster.heal()
      cluster.hollowPercent = 0
    }
    world.store.comeBack()
    world.disk.heal()
    for (const { consumer } of subscribers.all) world.store.reconnect(consumer.process)
    for (const cutOff of this.#cutOffs) cutOff.toMs = Math.min(cutOff.toMs, world.now)
    for (const trouble of this.#storeTroubles) trouble.toMs = Math.min(trouble.toMs, world.now)
  }

  /** Returns whether it changed anything. */
  #happens(step: FaultStep): boolean {
    const { world, setting, senders, subscribers, handlers, messages, losses } = this.#deployment
    const later = (ms: number, task: () => void): void => {
      world.timeline.after(ms, () => {
        if (!this.#healing) task()
      })
    }
    switch (step.kind) {
      case 'producer-restart':
        return senders.restart(step.producer)
      case 'producer-kill':
        if (!senders.kill(step.producer)) return false
        later(step.forMs, () => senders.startIfNone(step.producer))
        return true
      case 'producer-stop':
        return senders.stop(step.producer, step)
      case 'same-producer-id':
        return senders.double(step.producer)
      case 'consumer-restart':
        return subscribers.restart(step.group, step.instance)
      case 'instance-added':
        return subscribers.add(step.group)
      case 'instance-removed':
        return subscribers.remove(step.group, step.instance)
      case 'consumer-kill':
        if (!subscribers.kill(step.group, step.instance)) return false
        later(step.forMs, () => subscribers.start(step.group))
        return true
      case 'consumer-stop':
        return subscribers.stop(step)
      case 'cluster-dead': {
        const cluster = world.cluster(step.cluster)
        if (cluster.state === 'dead') return false
        cluster.kill()
        later(step.forMs, () => cluster.restart())
        return true
      }
      case 'tail-lost':
      case 'tail-refilled':
      case 'cluster-rebuilt': {
        const cluster = world.cluster(step.cluster)
        if (cluster.state === 'dead') return false
        cluster.kill()
        const { life } = cluster
        later(step.forMs, () => {
          // Somebody else has started it again: that was too soon for a power failure.
          if (cluster.life !== life || cluster.state !== 'dead') return
          const count = step.kind === 'cluster-rebuilt' ? Infinity : step.count
          losses.handleLost(cluster.loseTails(count))
          if (step.kind === 'tail-refilled') this.#cutReadersOff(cluster, step.forMs)
          cluster.restart()
        })
        return true
      }
      case 'log-start-moved':
        for (const log of world.cluster(step.cluster).logs()) losses.handleLost(log.moveStart(log.end - step.left))
        return true
      case 'cluster-hung': {
        const cluster = world.cluster(step.cluster)
        if (cluster.state !== 'up') return false
        cluster.hang()
        later(step.forMs, () => cluster.resume())
        return true
      }
      case 'cluster-slow': {
        const cluster = world.cluster(step.cluster)
        cluster.slow(step.byMs, step.requests === 'all' ? undefined : step.requests)
        later(step.forMs, () => cluster.slow(0))
        return true
      }
      case 'cluster-flap': {
        const cluster = world.cluster(step.cluster)
        for (let i = 0; i < step.times; i++) {
          later(i * step.everyMs, () => cluster.hang())
          later((i + 0.5) * step.everyMs, () => cluster.resume())
        }
        return true
      }
      case 'partition-leaderless': {
        const cluster = world.cluster(step.cluster)
        const partition = step.partition % setting.partitions
        cluster.leaderless(TOPIC, partition)
        later(step.forMs, () => cluster.lead(TOPIC, partition))
        return true
      }
      case 'answer-lost': {
        const cluster = world.cluster(step.cluster)
        cluster.answerLostPercent = step.percent
        later(step.forMs, () => (cluster.answerLostPercent = 0))
        return false // counted by what got lost
      }
      case 'one-sided-reach': {
        const cluster = world.cluster(step.cluster)
        const process =
          typeof step.who === 'number'
            ? senders.oldest(step.who)
            : subscribers.alive(step.who, step.instance)?.consumer.process
        if (process === undefined) return false
        this.#cutOff(process, cluster, step.forMs)
        return true
      }
      case 'redis-away': {
        world.store.goAway()
        const trouble = this.#troubled({})
        later(step.forMs, () => {
          world.store.comeBack()
          trouble.toMs = world.now
        })
        return true
      }
      case 'redis-away-for-one': {
        const subscriber = subscribers.alive(step.group, step.instance)
        if (subscriber === undefined) return false
        const { process } = subscriber.consumer
        world.store.cutOff(process)
        const trouble = this.#troubled({ names: [process.name] })
        later(step.forMs, () => {
          world.store.reconnect(process)
          trouble.toMs = world.now
        })
        return true
      }
      case 'redis-rolled-back':
        world.store.rollBack(step.byMs)
        this.#troubled({ forgotSinceMs: world.now - step.byMs }).toMs = world.now
        return true
      case 'redis-emptied':
        world.store.empty()
        this.#troubled({ forgotSinceMs: 0 }).toMs = world.now
        return true
      case 'journal-full': {
        if (setting.journal === 'off') return false
        if (step.by < 0) world.disk.fail()
        else world.disk.full(step.by)
        later(step.forMs, () => world.disk.heal())
        return true
      }
      case 'journal-late': {
        if (setting.journal === 'off') return false
        world.disk.slow(step.by)
        later(step.forMs, () => world.disk.slow(0))
        return true
      }
      case 'journal-torn': {
        const entry = world.disk.tear()
        if (entry === undefined) return false
        for (const { text } of messagesIn(entry)) messages.torn.add(text)
        return true
      }
      case 'clock-back':
      case 'clock-forward': {
        const process = senders.oldest(step.producer)
        process?.moveClock(step.kind === 'clock-back' ? -step.byMs : step.byMs)
        return process !== undefined
      }
      case 'consumer-clock': {
        const process = subscribers.alive(step.group, step.instance)?.consumer.process
        process?.moveClock(step.byMs)
        return process !== undefined
      }
      case 'redis-clock':
        world.store.moveClock(step.byMs)
        return true
      case 'handler-stuck':
        handlers.stick(step.group, step.forMs)
        return false // counted when there is a delivery that gets stuck
      case 'refused-for-good': {
        const cluster = world.cluster(step.cluster)
        const { residue } = step
        cluster.refuse(({ value }) => {
          if (value === null) return false
          return residue < 0 || (residue < 2 ? value.length : value.at(-1)! + 2) % 4 === residue
        })
        later(step.forMs, () => cluster.refuse(() => false))
        return true
      }
      default:
        throw step satisfies never
    }
  }

  #troubled(trouble: Partial<StoreTrouble>): { toMs: number } {
    const whole = { fromMs: this.#deployment.world.now, toMs: Infinity, forgotSinceMs: Infinity, ...trouble }
    this.#storeTroubles.push(whole)
    return whole
  }

  #cutReadersOff(cluster: SimulatedCluster, forMs: number): void {
    for (const groupId of GROUPS) {
      for (const { consumer } of this.#deployment.subscribers.living(groupId)) {
        this.#cutOff(consumer.process, cluster, forMs)
      }
    }
  }

  #cutOff(process: SimulatedProcess, cluster: SimulatedCluster, forMs: number): void {
    const cutOff = { name: process.name, cluster: cluster.name, fromMs: this.#deployment.world.now, toMs: Infinity }
    cluster.cutOff(process)
    this.#cutOffs.push(cutOff)
    this.#deployment.world.timeline.after(forMs, () => {
      cutOff.toMs = Math.min(cutOff.toMs, this.#deployment.world.now)
      const still = this.#cutOffs.some((other) => {
        return other.name === cutOff.name && other.cluster === cutOff.cluster && other.toMs === Infinity
      })
      if (!still) cluster.reconnect(process)
    })
  }
}

function isFault(kind: string): kind is FaultKind {
  return (FAULTS as readonly string[]).includes(kind)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
