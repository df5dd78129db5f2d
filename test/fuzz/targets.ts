import { ARBITERS } from './arbiters.js'
import { CODECS } from './codecs.js'
import { FRAMES } from './frames.js'
import { INTERVALS } from './intervals.js'
import { JOURNALS } from './journals.js'
import { KEYS } from './keys.js'
import { MESSAGES } from './messages.js'
import { OPTIONS } from './options.js'
import { POSITIONS } from './positions.js'
import { STAMPS } from './stamps.js'
import type { Target } from './target.js'

/** Everything that takes input which tandem has not made itself, or that others may have damaged. */
export const TARGETS: readonly Target[] = [
  ...STAMPS,
  ...FRAMES,
  ...KEYS,
  ...INTERVALS,
  ...OPTIONS,
  ...CODECS,
  ...POSITIONS,
  ...MESSAGES,
  ...JOURNALS,
  ...ARBITERS,
]
