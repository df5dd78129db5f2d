import { answerOrder } from '../subject-process.js'
import type { LoadResult } from './load.js'
import type { SendOrder } from './order.js'

// Each loads what it needs alone: node-rdkafka is built for one Node, and another one runs @platformatic/kafka.
await answerOrder(async (order: SendOrder): Promise<LoadResult> => {
  switch (order.way) {
    case 'raw':
    case 'raw-32':
      return (await import('./raw-subject.js')).runRaw(order)
    case 'kafkajs':
    case 'kafkajs-100':
    case 'kafkajs-1000':
      return (await import('./kafkajs-subject.js')).runKafkajs(order)
    case 'platformatic':
    case 'platformatic-100':
    case 'platformatic-1000':
      return (await import('./platformatic-subject.js')).runPlatformatic(order)
    default:
      return (await import('./tandem-subject.js')).runTandem(order)
  }
})
