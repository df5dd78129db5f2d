import { answerOrder } from '../subject-process.js'
import { CASES } from './cases.js'
import type { MicroAnswer, MicroOrder } from './order.js'

await answerOrder(({ name, measuredMs }: MicroOrder): Promise<MicroAnswer> => {
  const { operations, run } = CASES[name]()
  const runFor = (ms: number): MicroAnswer => {
    const begin = performance.now()
    let runs = 0
    do {
      run()
      runs++
    } while (performance.now() < begin + ms)
    return { operations: runs * operations, ms: performance.now() - begin }
  }
  runFor(measuredMs / 2) // V8 has compiled what is hot by then
  return Promise.resolve(runFor(measuredMs))
})
