import type { Addresses } from '../clusters.js'
import type { LoadOptions, LoadResult } from '../send/load.js'
import type { ScalePoint } from './subjects.js'

/** What the process that sends is told, and what it answers. */
export interface SendOrder {
  readonly point: ScalePoint
  readonly clusters: Addresses
  readonly topic: string
  readonly load: LoadOptions
}

export interface SendAnswer extends LoadResult {
  readonly memoryBytesMax: number
}

/** What the process of each instance is told at its start. */
export interface ReadOrder {
  readonly clusters: Addresses
  readonly topic: string
  readonly messages: number
  readonly redisUrl: string
}

/** What it is told later: it has its partitions, and may read; all is read, and it may end. */
export type ReadCommand = 'read' | 'end'

/** What it says: again and again how far it is; in the end what it took. */
export type ReadReport =
  | {
      readonly kind: 'progress'
      /** Partitions that it holds. */
      readonly held: number
      /** Records of both logs that are done. */
      readonly done: number
      readonly cpuMicros: number
      readonly redisCommands: number
    }
  | { readonly kind: 'ended'; readonly taken: number; readonly seen: Uint8Array; readonly memoryBytesMax: number }

/** Keys of the messages: enough that each key range has many. */
export const KEYS = 10_000
