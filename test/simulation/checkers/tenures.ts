import type { ConsumerLife, Delivered, History, SentMessage, Span, Taking } from './history.js'

/** What one life of a consumer was given of one partition under one lease; of all, if leases are not known. */
export interface Tenure {
  readonly groupId: string
  readonly name: string
  readonly fromMs: number
  /** When its life was over, it gave the partition up, or the next one was given it; undefined if it goes on. */
  readonly endedAtMs: number | undefined
  readonly deliveries: readonly Delivered[]
  readonly stops: readonly Span[]
  /** Of which partition; undefined for all. */
  readonly keyRange: number | undefined
}

/** In the order of their beginnings. */
export function tenuresOf({ lives, messages, takings = [] }: History): Tenure[] {
  const sent = new Map(messages.map((message) => [message.text, message]))
  const tenures = lives.flatMap((life) => tenuresOfLife(life, sent, takings))
  return tenures.sort((a, b) => a.fromMs - b.fromMs)
}

function tenuresOfLife(
  life: ConsumerLife,
  sent: ReadonlyMap<string, SentMessage>,
  takings: readonly Taking[],
): Tenure[] {
  const { groupId, name, startedAtMs, endedAtMs, stops } = life
  const byLease = new Map<string, Delivered[]>()
  for (const one of life.deliveries) {
    const lease = one.fence === undefined ? '' : `${sent.get(one.text)?.keyRange}/${one.fence}`
    const known = byLease.get(lease)
    if (known === undefined) byLease.set(lease, [one])
    else known.push(one)
  }
  return [...byLease.values()].map((deliveries): Tenure => {
    const { fence, text } = deliveries[0]!
    const keyRange = fence === undefined ? undefined : sent.get(text)?.keyRange
    const ofPartition = takings.filter((one) => one.groupId === groupId && one.keyRange === keyRange)
    const taking = ofPartition.findIndex((one) => one.fence === fence)
    const fromMs = ofPartition[taking]?.atMs ?? startedAtMs
    const superseded = taking < 0 ? undefined : ofPartition[taking + 1]?.atMs
    const ends = [endedAtMs, ofPartition[taking]?.releasedAtMs, superseded].filter((ms) => ms !== undefined)
    const ended = ends.length === 0 ? undefined : Math.min(...ends)
    return { groupId, name, fromMs, endedAtMs: ended, deliveries, stops, keyRange }
  })
}
