import { decodeStamp, Intervals, STAMP_HEADER, streamKey, type Stamp } from '@tandem/common/internal'

import type { FeedRecord } from '@tandem/consumer/internal'

import type { SimulatedCluster } from './cluster.js'
import type { SimulatedLog } from './simulated-log.js'

/** One record of a stream, as it stands in a log. */
interface Written {
  readonly stamp: Stamp
  readonly text: string
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
          if (one.stamp.kind === 'void' || seen.has(one.text)) continue
          seen.add(one.text)
          const newer = ({ stamp }: Written): boolean => stamp.epoch > one.stamp.epoch
          const behind = all.some((other) => newer(other) && other.offset < one.offset)
          const after = (others.get(stream) ?? []).some((other) => newer(other) && other.atMs <= one.atMs)
          if (behind || after) late.add(one.text)
          else inOrder.add(one.text)
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

  /** Takes a record over if it is a void; else returns whether its message is not among what was voided. */
  handleRecord(record: FeedRecord): boolean {
    const header = record.headers.find((one) => Object.hasOwn(one, STAMP_HEADER))
    if (header === undefined) return false
    const { first, count, kind, ...sequence } = decodeStamp(header[STAMP_HEADER]!)
    const name = `${streamKey(sequence)}/${sequence.epoch}/${sequence.incarnation}`
    const voided = this.#sequences.get(name)
    if (kind !== 'void') return voided?.has(first) !== true
    if (voided === undefined) this.#sequences.set(name, Intervals.of([first, first + count - 1]))
    else voided.add(first, first + count - 1)
    return false
  }
}

/** Messages that a log still brings: data that it did not void before. */
export function* readable(log: SimulatedLog): Generator<string> {
  const voided = new Voided()
  for (const record of log) if (voided.handleRecord(record)) yield record.value?.toString() ?? ''
}

function writtenTo(cluster: SimulatedCluster, topic: string, partition: number): Map<string, Written[]> {
  const streams = new Map<string, Written[]>()
  const log = cluster.log(topic, partition)
  for (const { headers, value, offset } of log) {
    const header = headers.find((one) => Object.hasOwn(one, STAMP_HEADER))
    if (header === undefined) continue
    const stamp = decodeStamp(header[STAMP_HEADER]!)
    const text = value?.toString() ?? ''
    const key = streamKey(stamp)
    const known = streams.get(key)
    const written = { stamp, text, offset, atMs: log.writtenAt(offset) }
    if (known === undefined) streams.set(key, [written])
    else known.push(written)
  }
  return streams
}
