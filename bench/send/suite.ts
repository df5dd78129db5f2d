/**
 * What it costs to send a message to two clusters by tandem, beside doing the same with two bare clients, and with those
 * that a user would take instead.
 *
 * Each run has a process, a topic and a journal of its own. A bare client judges it: both logs must have every message
 * that was sent.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Clusters, versions } from '../clusters.js'
import { countFramed, countRecords, deleteTopic, makeTopic } from '../logs.js'
import { installPeers, NODE_22 } from '../peers.js'
import { orderFrom } from '../subject-process.js'
import { CPU, MEMORY, RATE, type Figures, type Stage, type Suite } from '../suite.js'
import { runJava } from './java-subject.js'
import { inFlightMaxOf, type LoadOptions } from './load.js'
import type { SendAnswer, SendOrder } from './order.js'
import { COMPARISONS, isFramed, nameOf, subjectsOf, type SendSubject } from './subjects.js'

export const sendSuite: Suite = {
  name: 'send',
  about: 'messages to two real clusters: tandem beside node-rdkafka, kafkajs, @platformatic/kafka and the Java client',
  rounds: () => 5,
  subjects: (quick) => subjectsOf(quick).map(nameOf),
  comparisons: COMPARISONS,
  open: async () => {
    const all = { ...(await versions()), ...(await installPeers()) }
    return new SendStage(await Clusters.start(), all)
  },
}

class SendStage implements Stage {
  readonly versions: Stage['versions']
  readonly #clusters: Clusters
  readonly #folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'))
  #runs = 0

  constructor(clusters: Clusters, versions: Stage['versions']) {
    this.#clusters = clusters
    this.versions = versions
  }

  async measure(name: string): Promise<Figures> {
    const subject = subjectsOf(false).find((one) => nameOf(one) === name)!
    const topic = `run-${++this.#runs}`
    for (const cluster of this.#clusters.all) await makeTopic(cluster, topic)
    const { sent, figures } = await (subject.way === 'java' ? this.#runJava(subject, topic) : this.#run(subject, topic))
    for (const cluster of this.#clusters.all) {
      const messages = await (isFramed(subject.way) ? countFramed : countRecords)(cluster, topic)
      const expected = subject.way === 'raw-32' ? sent / 32 : sent
      if (messages < expected) throw new Error(`${name}: ${sent} messages were sent, a log has ${messages}`)
      await deleteTopic(cluster, topic)
    }
    rmSync(join(this.#folder, topic), { recursive: true, force: true })
    return figures
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clusters[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #run(subject: SendSubject, topic: string): Promise<Run> {
    const order: SendOrder = {
      ...subject,
      topic,
      clusters: this.#clusters.addresses,
      journalPath: join(this.#folder, topic),
      load: { ...TIMES, inFlightMax: inFlightMaxOf(subject.valueBytes) },
    }
    const node = subject.way.startsWith('platformatic') ? NODE_22 : undefined
    const answer = await orderFrom<SendOrder, SendAnswer>(PROGRAM, nameOf(subject), order, { node })
    const { sent, answered, ms, cpuMicros, memoryBytesMax } = answer
    const figures = { [RATE]: (answered * 1_000) / ms, [CPU]: cpuMicros / answered, [MEMORY]: memoryBytesMax / 1e6 }
    return { sent, figures }
  }

  async #runJava({ valueBytes }: SendSubject, topic: string): Promise<Run> {
    const { sent, perSecond } = await runJava({ clusters: this.#clusters.addresses, topic, valueBytes })
    return { sent, figures: { [RATE]: perSecond } }
  }
}

interface Run {
  /** Messages, those of the warm-up too. */
  readonly sent: number
  readonly figures: Figures
}

const PROGRAM = new URL('subject-process.js', import.meta.url)
/** V8 has compiled what is hot by then, and both clients have their connections. */
const TIMES: Omit<LoadOptions, 'inFlightMax'> = { warmUpMs: 3_000, measuredMs: 5_000 }
