import type { Addresses } from '../clusters.js'
import type { CourseResult } from '../consume/course.js'
import type { Way } from './subjects.js'

/** Who writes to both clusters while one of them comes and goes. */
export type Writer = 'tandem' | 'dual'

export interface FillOrder {
  readonly writer: Writer
  readonly clusters: Addresses
  readonly topic: string
  readonly messages: number
  readonly perSecond: number
}

export interface FillAnswer {
  /** Numbers of messages that nobody was told were written. */
  readonly refused: readonly number[]
}

export interface DedupOrder {
  readonly way: Way
  readonly clusters: Addresses
  readonly topic: string
  readonly messages: number
  /** Records with a message, of both logs together. */
  readonly records: number
  readonly refused: readonly number[]
  readonly redisUrl: string
}

export interface DedupAnswer extends CourseResult {
  /** Messages that it took for new, and of those that were acknowledged, how many it never did. */
  readonly taken: number
  readonly different: number
  readonly lost: number
}
