/** One run of one subject, in a process that has done nothing else: told by its argument, answers by a message. */
import type { SendAnswer, SendOrder } from './order.js'
import { runRaw } from './raw-subject.js'
import { runTandem } from './tandem-subject.js'

process.on('disconnect', () => process.exit(1)) // nobody is left to tell
const order = JSON.parse(process.argv[2]!) as SendOrder
const result = await (order.way === 'raw' ? runRaw(order) : runTandem(order))
const answer: SendAnswer = { ...result, memoryBytesMax: process.resourceUsage().maxRSS * 1024 }
process.send!(answer)
process.channel!.unref()
