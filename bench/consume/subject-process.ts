import { answerOrder } from '../subject-process.js'
import type { ConsumeOrder } from './order.js'
import { runRaw, runSetNx } from './raw-subject.js'
import { runTandem } from './tandem-subject.js'

await answerOrder((order: ConsumeOrder) => {
  switch (order.way) {
    case 'raw':
    case 'raw-frames':
      return runRaw(order)
    case 'set-nx':
      return runSetNx(order)
    case 'tandem':
    case 'frames':
    case 'in-key-order':
      return runTandem(order)
    default:
      throw order.way satisfies never
  }
})
