/**
 * What a service feels while one of its two clusters is killed, hangs, is slow or flaps, and until all is as before.
 *
 * A producer and a consumer by tandem at their defaults, each a process, on two real clusters behind proxies and a real
 * Redis. Judged by the numbers in the payloads, files of what was acknowledged and delivered, and a bare client that reads
 * both logs whole.
 */
import { Servers } from '../servers.js'
import { type Figures, type Stage, type Suite } from '../suite.js'
import type { Timeline } from '../timeline.js'
import { countWithin, phaseFigures } from './figures.js'
import type { Lengths } from './phases.js'
import { playRun, type Run, type RunOptions } from './run.js'
import {
  COMPARISONS,
  CONSUMER_MEMORY,
  DUPLICATED,
  LOST,
  OFFERED,
  PRODUCER_MEMORY,
  subjectOf,
  SUBJECTS,
  VOIDED,
  type OutageSubject,
} from './subjects.js'
import { timelineOf } from './timeline.js'
import { verdictOf, type Verdict } from './verdict.js'

export const outageSuite: Suite = {
  name: 'outage',
  about: 'throughput and latency while one cluster is killed, hangs, is slow or flaps',
  rounds: (quick) => (quick ? 1 : 3),
  subjects: () => SUBJECTS.map(({ name }) => name),
  comparisons: COMPARISONS,
  open: async (quick) => new OutageStage(await Servers.start({ proxied: true }), quick ? QUICK : LONG),
}

class OutageStage implements Stage {
  readonly versions: Stage['versions']
  readonly #servers: Servers
  readonly #lengths: Lengths
  readonly #mostPerSecond = new Map<OutageSubject['framing'], number>()
  readonly #timelines: Timeline[] = []
  #runs = 0

  constructor(servers: Servers, lengths: Lengths) {
    this.#servers = servers
    this.#lengths = lengths
    this.versions = servers.versions
  }

  async measure(name: string): Promise<Figures> {
    const { framing, pace, faults, faultMs = this.#lengths.faultMs } = subjectOf(name)
    const offeredPerSecond = pace === 'half' ? (await this.#most(framing)) / 2 : undefined
    const lengths = { ...this.#lengths, faultMs }
    const { run, verdict } = await this.#run({ name, framing, faults, lengths, offeredPerSecond })
    const round = this.#timelines.filter(({ subject }) => subject === name).length + 1
    this.#timelines.push({ subject: name, round, ...timelineOf(run, verdict) })
    return {
      ...(offeredPerSecond !== undefined && { [OFFERED]: offeredPerSecond }),
      ...phaseFigures(run, verdict, faults),
      [PRODUCER_MEMORY]: run.producerBytesMax / 1e6,
      [CONSUMER_MEMORY]: run.consumerBytesMax / 1e6,
      [VOIDED]: verdict.voided,
      [LOST]: verdict.lost,
      [DUPLICATED]: verdict.duplicated,
    }
  }

  timelines(): readonly Timeline[] {
    return this.#timelines
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]()
  }

  /** What producer and consumer can do while all is well, whichever is slower: measured once, so that rounds agree. */
  async #most(framing: OutageSubject['framing']): Promise<number> {
    const known = this.#mostPerSecond.get(framing)
    if (known !== undefined) return known
    const { run } = await this.#run({
      name: `the healthy maximum of ${framing}s`,
      framing,
      faults: [],
      lengths: this.#lengths,
      offeredPerSecond: undefined,
    })
    const [healthy] = run.phases
    const counts = [run.acknowledged, run.delivered].map((samples) => countWithin(samples, healthy!))
    const most = (Math.min(...counts) * 1_000) / (healthy!.toMs - healthy!.fromMs)
    this.#mostPerSecond.set(framing, most)
    return most
  }

  async #run(options: Omit<RunOptions, 'topic'>): Promise<{ readonly run: Run; readonly verdict: Verdict }> {
    const run = await playRun(this.#servers, { ...options, topic: `run-${++this.#runs}` })
    const verdict = verdictOf(run)
    const { lost, duplicated, missing } = verdict
    if (lost + duplicated + missing > 0) {
      throw new Error(`${options.name}: ${lost} lost, ${duplicated} repeated, ${missing} missing in a log`)
    }
    return { run, verdict }
  }
}

const QUICK: Lengths = { healthyMs: 10_000, faultMs: 10_000, afterMsMin: 5_000, afterMsMax: 30_000 }
const LONG: Lengths = { healthyMs: 30_000, faultMs: 30_000, afterMsMin: 15_000, afterMsMax: 60_000 }
