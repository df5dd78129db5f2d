import type { Comparison } from '../suite.js'

/**
 * What a service does about the loss of a whole cluster:
 * - `mirrormaker`: works on one, which MirrorMaker 2 copies to another; when it is lost, goes on there from the translated
 *   offsets of its group
 * - `mirrormaker-eager`: the same where brokers let a group begin with the first member that comes
 * - `tandem`: works on both
 */
export const SUBJECTS = ['mirrormaker', 'mirrormaker-eager', 'tandem'] as const
export type Subject = (typeof SUBJECTS)[number]

/** How long brokers wait for further members of a group that begins: Kafka's own default, or not at all. */
export function groupDelayMs(subject: Subject): number {
  return subject === 'mirrormaker-eager' ? 0 : 3_000
}

export const LOST = 'lost'
export const SKIPPED = 'skipped'
export const DUPLICATED = 'duplicated'
export const PAUSE = 'pause ms'

export const COMPARISONS: readonly Comparison[] = [
  { name: 'mirrormaker / tandem by pause', over: 'mirrormaker', under: 'tandem', unit: PAUSE, reach: 10 },
  { name: 'mirrormaker-eager / tandem by pause', over: 'mirrormaker-eager', under: 'tandem', unit: PAUSE },
]
