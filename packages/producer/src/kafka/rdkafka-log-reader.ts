import rdkafka from 'node-rdkafka'

import type { LogSpan } from '../core/lookup.js'
import type { LogRange, LogReader, LogReaderOptions, LogRecord } from './log-reader.js'

/** A plain consumer of librdkafka for each reading: assigned by hand, in no group, nothing committed. */
export class RdkafkaLogReader implements LogReader {
  readonly #options: LogReaderOptions

  constructor(options: LogReaderOptions) {
    this.#options = options
  }

  read(range: LogRange, see: (record: LogRecord) => boolean): Promise<LogSpan> {
    const { signal } = range
    return new Promise((resolve, reject) => {
      // librdkafka comes back in its own time; nobody waits for that.
      const abort = (): void => reject(signal.reason as Error)
      signal.addEventListener('abort', abort)
      this.#read(range, (record) => !signal.aborted && see(record))
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', abort))
    })
  }

  async #read(range: LogRange, see: (record: LogRecord) => boolean): Promise<LogSpan> {
    range.signal.throwIfAborted()
    const consumer = new rdkafka.KafkaConsumer(
      { ...TUNED, ...this.#globals, ...OWNED },
      { 'auto.offset.reset': 'error' },
    )
    consumer.setDefaultConsumeTimeout(POLL_TIMEOUT_MS)
    // Without a listener an error event would throw; what matters of it shows as lack of progress.
    consumer.on('event.error', () => undefined)
    try {
      await this.#connect(consumer, range)
      return await readTo(consumer, range, see)
    } finally {
      letGo(consumer)
    }
  }

  /** Of what a producer may be given, what a topic takes is none of a reader's business. */
  get #globals(): rdkafka.ConsumerGlobalConfig {
    const { properties } = this.#options
    return Object.fromEntries(Object.entries(properties).filter(([name]) => !WRITING.has(name)))
  }

  #connect(consumer: rdkafka.KafkaConsumer, { topic }: LogRange): Promise<void> {
    return new Promise((resolve, reject) => {
      consumer.connect({ topic, allTopics: false, timeout: PATIENCE_MS }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }
}

/** One that hangs takes long, and nobody waits. One that never connected holds on to itself by its callbacks. */
function letGo(consumer: rdkafka.KafkaConsumer): void {
  if (consumer.isConnected()) {
    consumer.disconnect(() => undefined)
    return
  }
  const native = consumer as unknown as NativeClient
  native.getClient().configureCallbacks(false, native._cb_configs)
}

/** What is used of node-rdkafka and not in its types. */
interface NativeClient {
  getClient(): { configureCallbacks(add: boolean, callbacks: unknown): void }
  readonly _cb_configs: unknown
}

async function readTo(
  consumer: rdkafka.KafkaConsumer,
  { topic, partition, from, signal }: LogRange,
  see: (record: LogRecord) => boolean,
): Promise<LogSpan> {
  const span = await spanOf(consumer, topic, partition)
  const { start, end } = span
  let next = from > end ? start : Math.max(from, start)
  if (next >= end) return span
  // What is no message, such as the end of a transaction, has an offset and is not given out.
  consumer.on('partition.eof', ({ offset }) => (next = Math.max(next, offset)))
  consumer.assign([{ topic, partition, offset: next }])
  let patientUntil = performance.now() + PATIENCE_MS
  while (next < end) {
    const messages = await consume(consumer)
    signal.throwIfAborted()
    for (const { offset, headers } of messages) {
      if (offset >= end) return span
      next = Math.max(next, offset + 1) // the end of the log may have been told before
      if (!see({ offset, headers: (headers as LogRecord['headers'] | undefined) ?? [] })) return span
    }
    if (messages.length > 0) patientUntil = performance.now() + PATIENCE_MS
    else if (performance.now() > patientUntil) throw new Error(`nothing came for ${PATIENCE_MS} ms at offset ${next}`)
  }
  return span
}

function spanOf(consumer: rdkafka.KafkaConsumer, topic: string, partition: number): Promise<LogSpan> {
  return new Promise((resolve, reject) => {
    consumer.queryWatermarkOffsets(topic, partition, PATIENCE_MS, (error, offsets) => {
      if (error) reject(error)
      else resolve({ start: offsets.lowOffset, end: offsets.highOffset })
    })
  })
}

function consume(consumer: rdkafka.KafkaConsumer): Promise<rdkafka.Message[]> {
  return new Promise((resolve, reject) => {
    consumer.consume(BATCH_MAX, (error: rdkafka.LibrdKafkaError | null, messages: rdkafka.Message[]) => {
      if (error) reject(error)
      else resolve(messages)
    })
  })
}

/** What users may change. */
const TUNED = { 'queued.max.messages.kbytes': 8_192, 'fetch.wait.max.ms': 100 }

const OWNED = {
  // Needed to be a consumer at all; it joins nothing.
  'group.id': 'tandem-import',
  'enable.auto.commit': false,
  'enable.auto.offset.store': false,
  // Without it consume(n) would wait for its timeout at the end.
  'enable.partition.eof': true,
  'isolation.level': 'read_uncommitted',
  'allow.auto.create.topics': false,
  'statistics.interval.ms': 0,
} as const

/** Properties of topics that are written to; librdkafka refuses them to a consumer. */
const WRITING = new Set(['compression.level', 'queuing.strategy', 'produce.offset.report'])

/** A cluster that is well answers in milliseconds. */
const PATIENCE_MS = 10_000
const POLL_TIMEOUT_MS = 50
const BATCH_MAX = 1_000
