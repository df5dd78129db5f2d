/**
 * What it costs to send a message to two clusters by tandem, beside doing the same with two bare clients.
 *
 * Each run has a process, a topic and a journal of its own. A bare client judges it: both logs must have every message
 * that was sent.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { KafkaCluster } from '@tandem/testing'
import { kafkaJars } from '@tandem/testing/internal'
import kafka from 'node-rdkafka'

import type { Figures, Stage, Suite } from '../suite.js'
import type { LoadOptions } from './load.js'
import { countRecords, deleteTopic, makeTopic } from './logs.js'
import type { SendAnswer, SendOrder } from './order.js'
import { COMPARISONS, CPU, MEMORY, nameOf, RATE, subjectsOf } from './subjects.js'

export const sendSuite: Suite = {
  name: 'send',
  about: 'messages to two real clusters: tandem beside node-rdkafka, and each mode of the journal',
  rounds: (quick) => (quick ? 7 : 10),
  subjects: (quick) => subjectsOf(quick).map(nameOf),
  comparisons: COMPARISONS,
  open: () => SendStage.open(),
}

class SendStage implements Stage {
  static async open(): Promise<SendStage> {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'))
    const started = await Promise.allSettled(['east', 'west'].map((name) => KafkaCluster.start({ name })))
    const clusters = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    const stage = new SendStage(clusters, folder, await versions())
    const failed = started.find((result) => result.status === 'rejected')
    if (failed === undefined) return stage
    await stage[Symbol.asyncDispose]()
    throw failed.reason
  }

  readonly versions: Stage['versions']
  readonly #clusters: readonly KafkaCluster[]
  readonly #folder: string
  #runs = 0

  private constructor(clusters: readonly KafkaCluster[], folder: string, versions: Stage['versions']) {
    this.#clusters = clusters
    this.#folder = folder
    this.versions = versions
  }

  async measure(name: string): Promise<Figures> {
    const subject = subjectsOf(false).find((one) => nameOf(one) === name)!
    const topic = `run-${++this.#runs}`
    const [east, west] = this.#clusters
    for (const cluster of this.#clusters) await makeTopic(cluster, topic)
    const { sent, answered, ms, cpuMicros, memoryBytesMax } = await play({
      ...subject,
      topic,
      clusters: { east: east!.bootstrapServers, west: west!.bootstrapServers },
      journalPath: join(this.#folder, topic),
      load: { ...TIMES, inFlightMax: inFlightMax(subject.valueBytes) },
    })
    for (const cluster of this.#clusters) {
      const records = await countRecords(cluster, topic)
      if (records < sent) throw new Error(`${name}: ${sent} messages were sent, a log has ${records} records`)
      await deleteTopic(cluster, topic)
    }
    rmSync(join(this.#folder, topic), { recursive: true, force: true })
    return { [RATE]: (answered * 1_000) / ms, [CPU]: cpuMicros / answered, [MEMORY]: memoryBytesMax / 1e6 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clusters.map((cluster) => cluster.stop()))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Runs a subject in a process of its own. */
function play(order: SendOrder): Promise<SendAnswer> {
  return new Promise((resolve, reject) => {
    const child = fork(SUBJECT_PROCESS, [JSON.stringify(order)])
    const lost = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
    let answer: SendAnswer | undefined
    child.once('message', (message) => (answer = message as SendAnswer))
    child.once('error', reject)
    child.once('close', (status, signal) => {
      clearTimeout(lost)
      if (answer !== undefined && status === 0) resolve(answer)
      else reject(new Error(`${nameOf(order)}: its process ended with ${signal ?? status} and no result`))
    })
  })
}

/** Enough to keep both clusters busy, by number and by bytes; all of it well within tandem's own bounds. */
function inFlightMax(valueBytes: number): number {
  return Math.min(IN_FLIGHT_MAX, Math.floor(IN_FLIGHT_BYTES_MAX / valueBytes))
}

async function versions(): Promise<Stage['versions']> {
  const require = createRequire(import.meta.url)
  const version = (name: string): string => (require(`${name}/package.json`) as { version: string }).version
  return {
    node: process.versions.node,
    'node-rdkafka': version('node-rdkafka'),
    librdkafka: kafka.librdkafkaVersion,
    kafka: /kafka-([\d.]+)/.exec(basename(await kafkaJars()))![1]!,
  }
}

const SUBJECT_PROCESS = fileURLToPath(new URL('subject-process.js', import.meta.url))
/** V8 has compiled what is hot by then, and both clients have their connections. */
const TIMES: Omit<LoadOptions, 'inFlightMax'> = { warmUpMs: 3_000, measuredMs: 5_000 }
const IN_FLIGHT_MAX = 10_000
const IN_FLIGHT_BYTES_MAX = 8 * 2 ** 20
/** Whatever a cluster does, a run is over by then. */
const RUN_MS_MAX = 120_000
