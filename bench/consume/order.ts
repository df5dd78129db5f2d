import type { Addresses } from '../clusters.js'
import type { CourseResult } from './course.js'
import type { ConsumeSubject } from './subjects.js'

/** What the process of a subject is told to do, and what it answers. */
export interface ConsumeOrder extends ConsumeSubject {
  readonly clusters: Addresses
  readonly topic: string
  readonly messages: number
  /** Records with a message, of both logs together. */
  readonly records: number
  readonly redisUrl: string
}

export interface ConsumeAnswer extends CourseResult {
  /** Messages that it took for new, and how many different ones those were; of `raw`, what it counted, halved. */
  readonly taken: number
  readonly different: number
  readonly memoryBytesMax: number
}

/** What the process that fills both logs is told. */
export interface FillOrder extends Pick<ConsumeOrder, 'clusters' | 'topic' | 'messages' | 'valueBytes'> {
  readonly framing: 'record' | 'frame'
}

/** Accounts, the keys of the messages: enough that each partition has many. */
export const KEYS = 1_000
