import { randomInt } from 'node:crypto'
import { hostname } from 'node:os'

import { systemClock, type Clock } from '@tandem/common/internal'

import type { JournalFactory } from './journal/journal.js'
import type { ClusterClientFactory } from './kafka/cluster-client.js'
import type { LogReaderFactory } from './kafka/log-reader.js'
import { LevelJournal } from './journal/level-journal.js'
import { RdkafkaClient } from './kafka/rdkafka-client.js'
import { RdkafkaLogReader } from './kafka/rdkafka-log-reader.js'

/** Threads of libuv's pool unless `UV_THREADPOOL_SIZE` says otherwise. */
const POOL_SIZE_DEFAULT = 4

/** Everything that a producer touches outside itself; the simulator brings its own. */
export interface ProducerOutsides {
  readonly clock: Clock
  readonly clusterClient: ClusterClientFactory
  readonly journal: JournalFactory
  readonly logReader: LogReaderFactory
  /** An integer, 0 … max - 1. */
  readonly random: (max: number) => number
  readonly host: string
  /** Threads of libuv's pool. */
  readonly threadPoolSize: number
}

export const realOutsides: ProducerOutsides = {
  clock: systemClock,
  clusterClient: (options, handler) => new RdkafkaClient(options, handler),
  journal: (path) => new LevelJournal(path),
  logReader: (options) => new RdkafkaLogReader(options),
  random: (max) => randomInt(max),
  host: hostname(),
  threadPoolSize: Number(process.env['UV_THREADPOOL_SIZE'] ?? POOL_SIZE_DEFAULT),
}
