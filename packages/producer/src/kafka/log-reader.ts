import type { LogSpan } from '../core/lookup.js'

/**
 * Reads what one partition of one cluster holds, as the import of dead letters needs it.
 *
 * Each reading stands by itself, with a connection of its own if need be, since it happens seldom and must not be in the
 * way of the lanes.
 */
export interface LogReader {
  /**
   * Gives every record of the partition to `see`, in the order of the log: from an offset, or from the log's start if
   * that is above it or the log has become shorter than that, up to the end that it has when it is asked. Resolves at
   * that end, or as soon as `see` returns false, with where the log began and ended.
   *
   * Rejects if the cluster is silent for long, is not there, or the signal is aborted. Nothing is seen after that.
   */
  read(range: LogRange, see: (record: LogRecord) => boolean): Promise<LogSpan>
}

export interface LogRange {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly signal: AbortSignal
}

export interface LogRecord {
  readonly offset: number
  /** One object with a single property per header, in order: node-rdkafka's form. */
  readonly headers: readonly Readonly<Record<string, Uint8Array>>[]
}

export interface LogReaderOptions {
  readonly cluster: string
  /** librdkafka properties as the user gave them, checked. */
  readonly properties: Readonly<Record<string, string>>
}

export type LogReaderFactory = (options: LogReaderOptions) => LogReader
