import type { Addresses } from '../clusters.js'
import type { OutageSubject } from './subjects.js'

interface Order {
  readonly clusters: Addresses
  readonly topic: string
  /** Where its samples go, and what their times are counted from. */
  readonly samplesPath: string
  readonly beginMs: number
}

/** What the process that sends is told to do. */
export interface ProduceOrder extends Order, Pick<OutageSubject, 'framing'> {
  /** As many as can be, if it is left out. */
  readonly perSecond?: number
}

export interface ProduceAnswer {
  readonly sent: number
  readonly acknowledged: number
  readonly memoryBytesMax: number
}

/** What it tells while it runs. */
export interface ProducerGauge extends Gauge {
  /** Whether by its own word nothing of what it wrote is in one log alone. */
  readonly redundant: boolean
}

/** What the process that reads is told to do. */
export interface ConsumeOrder extends Order {
  readonly redisUrl: string
}

export interface ConsumeAnswer {
  readonly memoryBytesMax: number
}

export interface ConsumerGauge extends Gauge {
  readonly delivered: number
  /** Second copies, too. */
  readonly read: number
  /** That its client has sent. */
  readonly redisCommands: number
}

export interface Gauge {
  readonly atMs: number
  readonly memoryBytes: number
}

/** How often they tell. */
export const GAUGE_EVERY_MS = 100
/** The word by which either is to come to its end. */
export const OVER = 'over'

/** For how long one log may have a message alone: while all is well it is some milliseconds. */
export const ALONE_MS_MAX = 500
