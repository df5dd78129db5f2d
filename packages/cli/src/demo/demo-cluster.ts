import type { Clock } from '@tandem/common/internal'
import { KafkaCluster, LocalCluster } from '@tandem/testing'

import type { Fault } from './demo-options.js'

export type ClusterKind = 'embedded' | 'kafka'

type Started = { kind: 'embedded'; cluster: LocalCluster } | { kind: 'kafka'; cluster: KafkaCluster }

/** One of the two clusters of the demo, and what is done to it. */
export class DemoCluster {
  readonly name: string
  readonly #started: Started
  readonly #clock: Clock
  #fault: Fault = 'none'
  #condition = 'up'
  #awaySinceMs: number | undefined
  #awayMs = 0

  private constructor(name: string, started: Started, clock: Clock) {
    this.name = name
    this.#started = started
    this.#clock = clock
  }

  static async start(name: string, kind: ClusterKind, clock: Clock): Promise<DemoCluster> {
    switch (kind) {
      case 'embedded':
        return new DemoCluster(name, { kind, cluster: await LocalCluster.start() }, clock)
      case 'kafka':
        return new DemoCluster(name, { kind, cluster: await KafkaCluster.start({ name }) }, clock)
      default:
        throw kind satisfies never
    }
  }

  get kind(): ClusterKind {
    return this.#started.kind
  }

  get bootstrapServers(): string {
    return this.#started.cluster.bootstrapServers
  }

  /** What was done to it. */
  get fault(): Fault {
    return this.#fault
  }

  /** How it is now, in a word or two. */
  get condition(): string {
    return this.#condition
  }

  /** From the fault until it answered again; until now if it is still away. */
  get awayMs(): number {
    return Math.round(this.#awaySinceMs === undefined ? this.#awayMs : this.#clock.now() - this.#awaySinceMs)
  }

  async createTopic(topic: string, partitions: number): Promise<void> {
    await this.#started.cluster.createTopic(topic, { partitions })
  }

  async takeAway(fault: Fault): Promise<void> {
    if (fault === 'none') return
    this.#fault = fault
    this.#awaySinceMs = this.#clock.now()
    this.#condition = fault === 'hang' ? 'hung' : 'killed'
    if (fault === 'hang') await this.#started.cluster.hang()
    else await this.#started.cluster.kill()
  }

  async bringBack(): Promise<void> {
    if (this.#awaySinceMs === undefined) return
    this.#condition = 'coming back'
    if (this.#fault === 'hang') await this.#started.cluster.resume()
    else if (this.#started.kind === 'kafka') await this.#started.cluster.restart()
    this.#awayMs = this.#clock.now() - this.#awaySinceMs
    this.#awaySinceMs = undefined
    this.#condition = 'up'
  }

  async stop(): Promise<void> {
    await this.#started.cluster.stop()
  }
}
