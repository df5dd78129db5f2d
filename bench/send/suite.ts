/**
 * What it costs to send a message to two clusters by tandem, beside doing the same with two bare clients.
 *
 * Each run has a process, a topic and a journal of its own. A bare client judges it: both logs must have every message
 * that was sent.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Clusters, versions } from '../clusters.js'
import { countRecords, deleteTopic, makeTopic } from '../logs.js'
import { orderFrom } from '../subject-process.js'
import { CPU, MEMORY, RATE, type Figures, type Stage, type Suite } from '../suite.js'
import type { LoadOptions } from './load.js'
import type { SendAnswer, SendOrder } from './order.js'
import { COMPARISONS, nameOf, subjectsOf } from './subjects.js'

export const sendSuite: Suite = {
  name: 'send',
  about: 'messages to two real clusters: tandem beside node-rdkafka, and each mode of the journal',
  rounds: (quick) => (quick ? 7 : 10),
  subjects: (quick) => subjectsOf(quick).map(nameOf),
  comparisons: COMPARISONS,
  open: async () => new SendStage(await Clusters.start(), await versions()),
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
    const { sent, answered, ms, cpuMicros, memoryBytesMax } = await orderFrom<SendOrder, SendAnswer>(PROGRAM, name, {
      ...subject,
      topic,
      clusters: this.#clusters.addresses,
      journalPath: join(this.#folder, topic),
      load: { ...TIMES, inFlightMax: inFlightMax(subject.valueBytes) },
    })
    for (const cluster of this.#clusters.all) {
      const records = await countRecords(cluster, topic)
      if (records < sent) throw new Error(`${name}: ${sent} messages were sent, a log has ${records} records`)
      await deleteTopic(cluster, topic)
    }
    rmSync(join(this.#folder, topic), { recursive: true, force: true })
    return { [RATE]: (answered * 1_000) / ms, [CPU]: cpuMicros / answered, [MEMORY]: memoryBytesMax / 1e6 }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#clusters[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Enough to keep both clusters busy, by number and by bytes; all of it well within tandem's own bounds. */
function inFlightMax(valueBytes: number): number {
  return Math.min(IN_FLIGHT_MAX, Math.floor(IN_FLIGHT_BYTES_MAX / valueBytes))
}

const PROGRAM = new URL('subject-process.js', import.meta.url)
/** V8 has compiled what is hot by then, and both clients have their connections. */
const TIMES: Omit<LoadOptions, 'inFlightMax'> = { warmUpMs: 3_000, measuredMs: 5_000 }
const IN_FLIGHT_MAX = 10_000
const IN_FLIGHT_BYTES_MAX = 8 * 2 ** 20
