import type { Peak } from './checkers/history.js'
import type { Deployment } from './deployment.js'
import type { Seen } from './simulated-consumer.js'
import { unacknowledgedMaxOf } from './subscribers.js'

/** What is bounded: the most that was seen of it, and what it may be. */
export class Peaks {
  readonly #deployment: Deployment
  /** By what it is. */
  readonly #measured = new Map<string, { what: string; peak: number; allowed: number }>()

  constructor(deployment: Deployment) {
    this.#deployment = deployment
  }

  /** Memory cannot be seen from outside in one process: for what is held and queued their status is believed. */
  keepMeasuring(): void {
    const { setting, senders, subscribers, world } = this.#deployment
    for (const { producer, process } of senders.producers) {
      if (process.state !== 'running') continue
      for (const [cluster, { backlog }] of Object.entries(producer.status().clusters)) {
        this.#measure(
          `bytes queued by ${process.name} for ${cluster}`,
          backlog.bytes,
          setting.backlogBytesMax * (setting.journal === 'off' ? 1 : FOR_DISK) + SLACK_BYTES,
        )
      }
    }
    for (const { consumer, endedAtMs } of subscribers.all) {
      if (endedAtMs !== undefined || consumer.process.state !== 'running') continue
      const ofOne =
        setting.heldMessagesMax + setting.readRecordsMax * (setting.framing === 'frame' ? FRAME_MESSAGES : 1)
      const allowed = 2 * setting.partitions * ofOne
      this.#measure(`messages held by ${consumer.process.name}`, consumer.consumer.status().held, allowed)
    }
    world.timeline.after(MEASURE_MS, () => this.keepMeasuring())
  }

  /** So far. */
  all(): Peak[] {
    const { setting, subscribers } = this.#deployment
    // Of what was lost or given up, what was handed out is nobody's any more and takes no room.
    const kept = subscribers.all.filter(({ consumer }) => {
      return consumer.count('lease-lost') === 0 && consumer.count('lease-released') === 0
    })
    const unacknowledged = kept.map(({ consumer }) => ({
      what: `unacknowledged deliveries of ${consumer.process.name}`,
      peak: peakOf(consumer.deliveries),
      allowed: unacknowledgedMaxOf(consumer.groupId, setting),
    }))
    return [...this.#measured.values(), ...unacknowledged]
  }

  #measure(what: string, value: number, allowed: number): void {
    const known = this.#measured.get(what)
    if (known === undefined) this.#measured.set(what, { what, peak: value, allowed })
    else known.peak = Math.max(known.peak, value)
  }
}

/** The most deliveries that were unacknowledged at a time; one that came again is finished with its first acknowledgement. */
function peakOf(deliveries: readonly Seen[]): number {
  const acknowledged = new Map<string, number>()
  for (const { text, acknowledgedAtMs = Infinity } of deliveries) {
    acknowledged.set(text, Math.min(acknowledged.get(text) ?? Infinity, acknowledgedAtMs))
  }
  const changes = deliveries
    .filter(({ redelivered }) => !redelivered)
    .flatMap(({ text, atMs }) => [
      { atMs, by: 1 },
      { atMs: acknowledged.get(text)!, by: -1 },
    ])
  // Of the same moment, what is acknowledged makes room for what comes.
  changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by)
  let now = 0
  let peak = 0
  for (const { by } of changes) peak = Math.max(peak, (now += by))
  return peak
}

const MEASURE_MS = 2_000
/** With a journal, what waits for the disk and what was read back has a quarter more each. */
const FOR_DISK = 1.5
/** What may be under way when the bound is reached. */
const SLACK_BYTES = 20_000
/** More than the bursts of this world come to in one record. */
const FRAME_MESSAGES = 64
