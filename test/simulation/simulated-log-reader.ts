import type { LogRange, LogReader, LogRecord, LogSpan } from '@tandem/producer/internal'

import { LEADERLESS, type SimulatedCluster } from './cluster.js'
import { RECONNECT_MS, SimulatedConnection } from './simulated-connection.js'
import type { SimulatedLog } from './simulated-log.js'
import type { SimulatedProcess } from './simulated-process.js'

/** Reads a log of the world as rdkafka-log-reader.ts reads a real one. */
export class SimulatedLogReader implements LogReader {
  readonly #cluster: SimulatedCluster
  readonly #process: SimulatedProcess
  readonly #recordsMax: number

  constructor(where: {
    readonly cluster: SimulatedCluster
    readonly process: SimulatedProcess
    /** Records that one request brings. */
    readonly readRecordsMax: number
  }) {
    this.#cluster = where.cluster
    this.#process = where.process
    this.#recordsMax = where.readRecordsMax
  }

  async read({ topic, partition, from, signal }: LogRange, see: (record: LogRecord) => boolean): Promise<LogSpan> {
    const connection = new SimulatedConnection(this.#cluster, this.#process, 'log reader')
    const log = this.#cluster.log(topic, partition)
    const ask = <T>(kind: 'query' | 'read', look: (log: SimulatedLog) => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const end = (): void => {
          cancel()
          signal.removeEventListener('abort', aborted)
        }
        const aborted = (): void => {
          end()
          reject(signal.reason as Error)
        }
        const cancel = connection.after(PATIENCE_MS, () => {
          end()
          reject(new Error(`nothing came for ${PATIENCE_MS} ms`))
        })
        signal.addEventListener('abort', aborted)
        const attempt = (): void => {
          connection.ask(
            kind,
            () => (log.leader === LEADERLESS ? undefined : { found: look(log) }),
            (answer) => {
              // Without a leader, or without a broker, librdkafka goes on trying until the time is up.
              if (answer === undefined) connection.after(RECONNECT_MS, attempt)
              else {
                end()
                resolve(answer.found)
              }
            },
          )
        }
        attempt()
      })
    try {
      signal.throwIfAborted()
      const span = await ask('query', (found) => ({ start: found.start, end: found.end }))
      const { start, end } = span
      let next = from > end ? start : Math.max(from, start)
      while (next < end) {
        const records = await ask('read', (found) => this.#recordsFrom(found, next, end))
        signal.throwIfAborted()
        if (records === undefined) throw new Error('Broker: Offset out of range')
        for (const record of records) if (!see(record)) return span
        next += records.length
      }
      return span
    } finally {
      connection.close(() => undefined)
    }
  }

  #recordsFrom(log: SimulatedLog, from: number, end: number): LogRecord[] | undefined {
    if (from < log.start) return undefined
    const records: LogRecord[] = []
    for (let offset = from; offset < end && records.length < this.#recordsMax; offset++) records.push(log.at(offset)!)
    return records
  }
}

/** As in rdkafka-log-reader.ts. */
const PATIENCE_MS = 10_000
