import { Intervals, streamKey, type Stamp } from '@tandem/common/internal'

import type { FeedRecord } from '@tandem/consumer/internal'

import type { SimulatedCluster } from './cluster.js'
import { messagesIn, stampIn, type LogMessage } from './log-messages.js'
import type { SimulatedLog } from './simulated-log.js'

/** One record of a stream, as it stands in a log. */
interface Written {
  readonly stamp: Stamp
  readonly messages: readonly LogMessage[]
  readonly offset: number
  readonly atMs: number
}

/**
 * Messages that somebody wrote who was taken for dead: in every log that has them they stand behind a newer epoch of
 * their stream, or were written when the other one had it already. Only these may come late with `order: 'strict'`
 * unless somebody skipped what was missing.
 */
export function lateWritten(clusters: readonly SimulatedCluster[], topic: string, partitions: number): Set<string> {
  const late = new Set<string>()
  const inOrder = new Set<string>()
  for (let partition = 0; partition < partitions; partition++) {
    const logs = clusters.map((cluster) => writtenTo(cluster, topic, partition))
    logs.forEach((streams, index) => {
      const others = logs[1 - index]!
      for (const [stream, all] of streams) {
        const seen = new Set<string>()
        for (const one of all) {
          const newer = ({ stamp }: Written): boolean => stamp.epoch > one.stamp.epoch
          const behind = all.some((other) => newer(other) && other.offset < one.offset)
          const after = (others.get(stream) ?? []).some((other) => newer(other) && other.atMs <= one.atMs)
          for (const { text } of one.messages) {
            if (seen.has(text)) continue
            seen.add(text)
            if (behind || after) late.add(text)
            else inOrder.add(text)
          }
        }
      }
    })
  }
  for (const text of inOrder) late.delete(text)
  return late
}

/** Counters that were voided, by sequence. */
export class Voided {
  readonly #sequences = new Map<string, Intervals>()

  /** Sequences that have something voided. */
  get size(): number {
    return this.#sequences.size
  }

  /** Takes a record over if it is a void; else returns those of its messages that are not among what was voided. */
  handleRecord(record: FeedRecord): LogMessage[] {
    const stamp = stampIn(record)
    if (stamp === undefined) return []
    const { first, count, kind } = stamp
    const name = `${streamKey(stamp)}/${stamp.epoch}/${stamp.incarnation}`
    const voided = this.#sequences.get(name)
    if (kind !== 'void') return messagesIn(record).filter(({ counter }) => voided?.has(counter) !== true)
    if (voided === undefined) this.#sequences.set(name, Intervals.of([first, first + count - 1]))
    else voided.add(first, first + count - 1)
    return []
  }
}

/** Messages that a log still brings: data that it did not void before. */
export function* readable(log: SimulatedLog): Generator<string> {
  const voided = new Voided()
  for (const record of log) for (const { text } of voided.handleRecord(record)) yield text
}

function writtenTo(cluster: SimulatedCluster, topic: string, partition: number): Map<string, Written[]> {
  const streams = new Map<string, Written[]>()
  const log = cluster.log(topic, partition)
  for (const record of log) {
    const stamp = stampIn(record)
    if (stamp === undefined) continue
    const { offset } = record
    const key = streamKey(stamp)
    const known = streams.get(key)
    const written = { stamp, messages: messagesIn(record), offset, atMs: log.writtenAt(offset) }
    if (known === undefined) streams.set(key, [written])
    else known.push(written)
  }
  return streams
}
