import { randomUUID } from 'node:crypto'

import { decode } from '@msgpack/msgpack'
import { ClustersUnreachableError } from '@tandem/common'
import { decodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import kafka from 'node-rdkafka'

import { LogCensus } from './log-census.js'
import { decodeTransfer } from './transfer.js'

/** A topic of one cluster, to be read by a client that knows nothing of tandem. */
export interface BareLog {
  /** The user's name of the cluster, for messages. */
  readonly cluster: string
  readonly bootstrapServers: string
  readonly topic: string
  /** How long it may answer nothing, ms; default 30,000: a cluster that was killed is back in half of that. */
  readonly patienceMs?: number
}

/**
 * Reads a log whole, from its start to the end it has when reading begins, and counts what it holds.
 *
 * A plain consumer of librdkafka: no stamp decides what a record is, only its payload, except that a void and a frame are
 * known by their headers. Nothing is kept but bits, so 160,000 messages and 16 million take about the same.
 *
 * @param census what counts, if it is to count more than others do.
 * @throws ClustersUnreachableError `TANDEM_CLUSTERS_UNREACHABLE`: the cluster or its topic cannot be read, or
 *   brings nothing for `patienceMs`; `details.cluster` says which.
 */
export async function takeCensus<Census extends LogCensus = LogCensus>(
  log: BareLog,
  census = new LogCensus() as Census,
): Promise<Census> {
  const consumer = new kafka.KafkaConsumer(
    {
      'bootstrap.servers': log.bootstrapServers,
      'group.id': `tandem-judge-${randomUUID()}`,
      'enable.auto.commit': false,
      // Without it, consume(n) would wait for its timeout at the end of each partition.
      'enable.partition.eof': true,
      // What a log holds is judged, open transactions of others included.
      'isolation.level': 'read_uncommitted',
      // Bounds what librdkafka reads ahead of us; its default is 64 MB.
      'queued.max.messages.kbytes': 8192,
    },
    { 'auto.offset.reset': 'error' },
  )
  // Without a listener an error of the client would be thrown; what matters of it shows as lack of progress.
  consumer.on('event.error', () => undefined)
  try {
    await connect(consumer, log)
    await readAll(consumer, log, await extents(consumer, log), census)
  } finally {
    await new Promise((resolve) => consumer.disconnect(resolve))
  }
  return census
}

interface Extent {
  readonly partition: number
  readonly start: number
  readonly end: number
}

async function connect(consumer: kafka.KafkaConsumer, log: BareLog): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    consumer.connect({ topic: log.topic, timeout: patienceMs(log) }, (error) =>
      error ? reject(unreadable(log, error.message, error)) : resolve(),
    )
  })
}

/** The partitions of the topic that hold something, and where their logs start and end now. */
async function extents(consumer: kafka.KafkaConsumer, log: BareLog): Promise<Extent[]> {
  const metadata = await new Promise<kafka.Metadata>((resolve, reject) => {
    consumer.getMetadata({ topic: log.topic, timeout: patienceMs(log) }, (error, answer) =>
      error ? reject(unreadable(log, error.message, error)) : resolve(answer),
    )
  })
  const partitions = metadata.topics.find(({ name }) => name === log.topic)?.partitions ?? []
  if (partitions.length === 0) throw unreadable(log, 'it has no such topic')
  const found: Extent[] = []
  for (const { id } of partitions) {
    const { lowOffset, highOffset } = await new Promise<kafka.WatermarkOffsets>((resolve, reject) => {
      consumer.queryWatermarkOffsets(log.topic, id, patienceMs(log), (error, offsets) =>
        error ? reject(unreadable(log, error.message, error)) : resolve(offsets),
      )
    })
    if (lowOffset < highOffset) found.push({ partition: id, start: lowOffset, end: highOffset })
  }
  return found
}

async function readAll(
  consumer: kafka.KafkaConsumer,
  log: BareLog,
  toRead: readonly Extent[],
  census: LogCensus,
): Promise<void> {
  const ends = new Map(toRead.map(({ partition, end }) => [partition, end]))
  const reached = (partition: number, next: number) => {
    if (next >= (ends.get(partition) ?? Infinity)) ends.delete(partition)
  }
  // A log may end in records that no consumer sees (markers of transactions): then only the end itself is shown.
  // It is told of before the batch is handed over that leads up to it, so it is believed after that batch only.
  const shownEnds: kafka.EofEvent[] = []
  consumer.on('partition.eof', (eof) => shownEnds.push(eof))
  consumer.setDefaultConsumeTimeout(CONSUME_MS)
  consumer.assign(toRead.map(({ partition, start }) => ({ topic: log.topic, partition, offset: start })))
  let progressAt = performance.now()
  while (ends.size > 0) {
    const messages = await nextBatch(consumer, log)
    for (const message of messages) {
      const end = ends.get(message.partition)
      // Records behind the end that was asked for are not judged: whoever writes them is still at it.
      if (end === undefined || message.offset >= end) continue
      count(message, census)
      reached(message.partition, message.offset + 1)
    }
    for (const { partition, offset } of shownEnds.splice(0)) reached(partition, offset)
    if (messages.length > 0) progressAt = performance.now()
    else if (performance.now() - progressAt > patienceMs(log)) {
      throw unreadable(log, `it brought nothing for ${patienceMs(log)} ms, partitions ${[...ends.keys()].join(', ')}`)
    }
  }
}

function nextBatch(consumer: kafka.KafkaConsumer, log: BareLog): Promise<kafka.Message[]> {
  return new Promise((resolve, reject) => {
    consumer.consume(BATCH_RECORDS, (error, messages) => {
      if (!error) resolve(messages)
      // Errors of a moment (a broker that restarts) pass; lack of progress ends the reading.
      else if (consumer.isConnected()) setTimeout(resolve, CONSUME_MS, [])
      else reject(unreadable(log, error.message, error))
    })
  })
}

function count(message: kafka.Message, census: LogCensus): void {
  const transfer = decodeTransfer(message.value)
  if (transfer !== undefined) {
    census.handleTransfer(transfer)
    return
  }
  const stamp = stampOf(message.headers)
  if (stamp?.kind === 'void') census.handleVoid(stamp)
  else if (stamp?.kind === 'frame') for (const value of valuesOf(message.value)) countFramed(value, census)
  else census.handleForeign()
}

function countFramed(value: unknown, census: LogCensus): void {
  const transfer = value instanceof Uint8Array ? decodeTransfer(value) : undefined
  if (transfer === undefined) census.handleForeign()
  else census.handleTransfer(transfer)
}

/** What a frame holds, as docs/stamp.md has it and any reader of MessagePack: `[[key, value, …], …]`. */
function valuesOf(bytes: Uint8Array | null): readonly unknown[] {
  try {
    return (decode(bytes!) as unknown[][]).map(([, value]) => value)
  } catch {
    return [undefined]
  }
}

function stampOf(headers: kafka.Message['headers']): ReturnType<typeof decodeStamp> | undefined {
  const value = headers?.find((header) => STAMP_HEADER in header)?.[STAMP_HEADER]
  if (value === undefined) return undefined
  try {
    return decodeStamp(Buffer.from(value))
  } catch {
    return undefined
  }
}

function patienceMs(log: BareLog): number {
  return log.patienceMs ?? 30_000
}

function unreadable(log: BareLog, reason: string, cause?: unknown): ClustersUnreachableError {
  const { cluster, bootstrapServers, topic } = log
  return new ClustersUnreachableError(
    `the log of ${topic} in ${cluster} (${bootstrapServers}) cannot be read: ${reason}`,
    { cluster, bootstrapServers, topic },
    cause,
  )
}

const BATCH_RECORDS = 1000
/** How long consume(n) waits for the next record of a batch. */
const CONSUME_MS = 100
