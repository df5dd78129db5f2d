import { decodeStamp, STAMP_HEADER, streamKey, type Stamp } from '@tandem/common/internal'

import type { SimulatedCluster } from './cluster.js'

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
