import { answerOrder } from '../subject-process.js'
import type { SendOrder } from './order.js'
import { runRaw } from './raw-subject.js'
import { runTandem } from './tandem-subject.js'

await answerOrder((order: SendOrder) => (order.way === 'raw' ? runRaw(order) : runTandem(order)))
