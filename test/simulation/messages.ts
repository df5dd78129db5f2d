import { keyRangeOf } from '@tandem/common/internal'

import type { Answer, SentMessage } from './checkers/history.js'
import { LEADERLESS } from './cluster.js'
import { readable } from './late-writers.js'
import { CLUSTERS, TOPIC, type Setting, type Step } from './plan.js'
import type { Senders } from './senders.js'
import type { Sent } from './simulated-producer.js'
import type { World } from './world.js'

/** A call of `send()` with what the application knows of it. */
interface Told {
  readonly sent: Sent
  readonly producerId: string
  readonly life: number
  readonly key: string
  readonly number: number
}

/** What was sent, or written by somebody else, and what may be said of it. */
export class Messages {
  /** What was written without a stamp. */
  readonly unstamped: SentMessage[] = []
  /** Messages whose entries in a journal were damaged: nobody can promise them. */
  readonly torn = new Set<string>()
  readonly #world: World
  readonly #setting: Setting
  readonly #senders: Senders
  readonly #told: Told[] = []
  readonly #padding: string

  constructor(world: World, setting: Setting, senders: Senders) {
    this.#world = world
    this.#setting = setting
    this.#senders = senders
    this.#padding = 'x'.repeat(setting.paddingBytes)
  }

  /** How many there are. */
  get count(): number {
    return this.#told.length + this.unstamped.length
  }

  send({ producer: index, key: keyIndex, count }: Omit<Step & { kind: 'send' }, 'kind' | 'atMs'>): void {
    const ready = this.#senders.ready(index)
    if (ready.length === 0) return
    for (let i = 0; i < count; i++) {
      const process = ready[i % ready.length]!
      const { producerId, life } = process
      const number = ++process.sent
      const key = `key-${keyIndex}`
      const text = `${producerId}/${life}/${number}`
      const sent = process.producer.send(text, { key, headers: { padding: this.#padding } })
      this.#told.push({ sent, producerId, life, key, number })
    }
  }

  /** Somebody who knows of one cluster only writes to it, if it is there. */
  writeUnstamped({ key: keyIndex, count }: Step & { kind: 'unstamped' }): void {
    const cluster = this.#world.cluster(CLUSTERS[0])
    const key = `key-${keyIndex}`
    const partition = keyRangeOf(Buffer.from(key), this.#setting.partitions)
    if (cluster.state !== 'up' || cluster.log(TOPIC, partition).leader === LEADERLESS) return
    for (let i = 0; i < count; i++) {
      const number = this.unstamped.length + 1
      const text = `plain/1/${number}`
      cluster.append(TOPIC, partition, { key: Buffer.from(key), value: Buffer.from(text), timestampMs: 0, headers: [] })
      const nowMs = this.#world.now
      const message = { text, producerId: 'plain', life: 1, key, keyRange: partition, number, sentAtMs: nowMs }
      this.unstamped.push({ ...message, answer: 'acknowledged', answeredAtMs: nowMs })
    }
  }

  import({ producer: index, timeoutMs }: Step & { kind: 'import' }): void {
    this.#senders.ready(index)[0]?.producer.import(timeoutMs)
  }

  /** Whether every call of `send()` has its answer, but for those whose process was killed. */
  areAnswered(): boolean {
    return this.#told.every(({ sent }) => sent.closedAtMs !== undefined || sent.producer.process.state === 'dead')
  }

  /** Of those that nobody can promise, what was acknowledged and stands in a log all the same: that must come. */
  tornAndWritten(): Set<string> {
    if (this.torn.size === 0) return new Set()
    const acknowledged = new Set(
      this.#told
        .filter(({ sent }) => sent.receipt !== undefined && this.torn.has(sent.text))
        .map(({ sent }) => sent.text),
    )
    const written = this.#world.clusters.flatMap((cluster) => [...cluster.logs()].flatMap((log) => [...readable(log)]))
    return new Set(written.filter((text) => acknowledged.has(text)))
  }

  /** Messages that were sent and must come. */
  promised(): Set<string> {
    const onlyOnDisk = this.#onlyOnDisk()
    const promised = this.#told.filter(({ sent: { receipt, text } }) => {
      return (receipt !== undefined || this.#imported.has(text)) && !onlyOnDisk.has(text)
    })
    return new Set(promised.map(({ sent }) => sent.text))
  }

  /** As the checkers want them: what was sent, then what was written without a stamp. */
  told(): SentMessage[] {
    const onlyOnDisk = this.#onlyOnDisk()
    const tornAndWritten = this.tornAndWritten()
    const sent = this.#told.map(({ sent, ...told }): SentMessage => {
      const keyRange = keyRangeOf(Buffer.from(told.key), this.#setting.partitions)
      const { text, atMs: sentAtMs, closedAtMs: answeredAtMs } = sent
      const imported = this.#imported.has(text)
      const known = tornAndWritten.has(text) ? 'acknowledged' : onlyOnDisk.get(text)
      const answer = known ?? (imported ? 'acknowledged' : answerOf(sent))
      return { ...told, text, keyRange, sentAtMs, answeredAtMs, answer, imported }
    })
    return [...sent, ...this.unstamped]
  }

  /**
   * Messages whose dead letters an import has read, also those that were kept while it waited for its disk. From then on
   * they may come, whatever was said of them; and when a letter is gone, they must.
   */
  get #imported(): ReadonlySet<string> {
    return this.#world.disk.lettersRead
  }

  /**
   * What a disk has, or had before it was damaged, instead of a cluster; what is among the dead letters says so. What was
   * accepted has no business there, unless both clusters have refused it.
   */
  #onlyOnDisk(): ReadonlyMap<string, Answer> {
    const texts = new Map<string, Answer>([...this.torn].map((text) => [text, 'unknown']))
    const accepted = new Set(this.#told.filter(({ sent }) => sent.receipt !== undefined).map(({ sent }) => sent.text))
    for (const { value, outcome } of this.#world.disk.letters()) {
      const text = Buffer.from(value!).toString()
      if (accepted.has(text) && !this.#world.clusters.every(({ refused }) => refused.has(text))) continue
      texts.set(text, this.#imported.has(text) ? 'unknown' : outcome)
    }
    return texts
  }
}

/** What was said of it to whoever sent it. */
export function answerOf({ receipt, error, producer }: Sent): Answer {
  if (receipt !== undefined) return 'acknowledged'
  if (error === undefined) return producer.process.state === 'dead' ? 'orphaned' : 'open'
  return 'outcome' in error && error.outcome === 'not-written' ? 'not-written' : 'unknown'
}
