import type { Comparison } from '../suite.js'

/** How large everything is in one run. */
export interface ScalePoint {
  readonly partitions: number
  /** Of each partition. */
  readonly keyRanges: number
  readonly producers: number
  readonly instances: number
  readonly valueBytes: number
  readonly framing: 'record' | 'frame'
}

/** What all others differ from in one thing, or two. */
export const BASE: ScalePoint = {
  partitions: 8,
  keyRanges: 1,
  producers: 1,
  instances: 1,
  valueBytes: 200,
  framing: 'record',
}

const axis = <Name extends keyof ScalePoint>(
  label: string,
  name: Name,
  values: readonly ScalePoint[Name][],
  also: Partial<ScalePoint> = {},
): (readonly [string, ScalePoint])[] =>
  values.map((value) => [`${label} ${value}`, { ...BASE, ...also, [name]: value }])

/** By name. */
export const POINTS: ReadonlyMap<string, ScalePoint> = new Map([
  ['base', BASE],
  ...axis('partitions', 'partitions', [1, 64, 256]),
  ...axis('key ranges per partition', 'keyRanges', [8, 64]),
  ...axis('producers', 'producers', [4, 16, 64]),
  ...axis('instances', 'instances', [2, 4]),
  ...axis('bytes', 'valueBytes', [100, 1_024, 16_384]),
  ['frames', { ...BASE, framing: 'frame' }],
  ...axis('frames partitions', 'partitions', [64, 256], { framing: 'frame' }),
  ...axis('frames producers', 'producers', [16], { framing: 'frame' }),
])

export const SENT = 'messages/s sent'
export const READ = 'messages/s read'
export const SENDING = 'CPU µs/message sent'
export const READING = 'CPU µs/message read'
export const SENDER_MEMORY = 'MB of the sender'
export const READER_MEMORY = 'MB of a reader'
export const HELD = 's until held'
export const REDIS_MEMORY = 'Redis bytes/partition'

/** Each beside the base; by CPU upside down, so that more is better everywhere. Nobody has said what is to be reached. */
export const COMPARISONS: readonly Comparison[] = [...POINTS.keys()]
  .filter((name) => name !== 'base')
  .flatMap((name) => [
    { name: `${name} / base, sent`, over: name, under: 'base', unit: SENT },
    { name: `base / ${name}, sent, by CPU`, over: 'base', under: name, unit: SENDING },
    { name: `${name} / base, read`, over: name, under: 'base', unit: READ },
    { name: `base / ${name}, read, by CPU`, over: 'base', under: name, unit: READING },
  ])
