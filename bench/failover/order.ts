import type { Addresses } from '../clusters.js'
import type { Subject } from './subjects.js'

/** What the process that sends, and the one that consumes, is told. Each hears `Word`s while it works. */
export interface FailoverOrder {
  readonly subject: Subject
  readonly clusters: Addresses
  readonly topic: string
  readonly groupId: string
  readonly redisUrl: string
  /** The file in which it writes down what was acknowledged, or taken. */
  readonly path: string
}

/** The east is killed, go on in the west (tandem is not told); it is over. */
export type Word = 'switch' | 'end'

export interface ProduceAnswer {
  readonly sent: number
}

/** Accounts, the keys of the messages. */
export const ACCOUNTS = 1_000
export const PER_SECOND = 2_000
export const VALUE_BYTES = 200
