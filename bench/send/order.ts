import { encodeStamp } from '@tandem/common/internal'

import type { Addresses } from '../clusters.js'
import type { LoadOptions, LoadResult } from './load.js'
import type { SendSubject } from './subjects.js'

/** What the process of a subject is told to do, and what it answers. */
export interface SendOrder extends SendSubject {
  readonly clusters: Addresses
  readonly topic: string
  /** A folder of its own. */
  readonly journalPath: string
  readonly load: LoadOptions
}

export interface SendAnswer extends LoadResult {
  readonly memoryBytesMax: number
}

/** Accounts, the keys of the messages: enough that each partition has many. */
export const KEYS = 1_000

/** Others than tandem send as many bytes of headers as a stamp has. */
export const STAMP = encodeStamp({
  kind: 'data',
  producerId: 'bench',
  epoch: Date.now(),
  incarnation: 2 ** 32 - 1,
  keyRange: 1,
  first: 100_000,
  count: 1,
})
