/** The cores by themselves, each in a process that has done nothing else: what they can do when nothing else is in the way. */
import { orderFrom } from '../subject-process.js'
import type { Suite } from '../suite.js'
import type { MicroAnswer, MicroOrder } from './order.js'
import { COMPARISONS, OPERATIONS, SUBJECTS } from './subjects.js'

export const microSuite: Suite = {
  name: 'micro',
  about: 'stamps, frames, decisions of the arbiter and intervals by themselves, on one core',
  rounds: () => 5,
  subjects: () => SUBJECTS,
  comparisons: COMPARISONS,
  open: () =>
    Promise.resolve({
      versions: { node: process.versions.node, v8: process.versions.v8 },
      measure: async (name) => {
        const order = { name, measuredMs: MEASURED_MS } as MicroOrder
        const { operations, ms } = await orderFrom<MicroOrder, MicroAnswer>(PROGRAM, name, order)
        return { [OPERATIONS]: (operations * 1_000) / ms }
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
}

const PROGRAM = new URL('subject-process.js', import.meta.url)
const MEASURED_MS = 1_000
