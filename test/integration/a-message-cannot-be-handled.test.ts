import { Consumer, inKeyOrder, MemoryHighWaterStore, type Delivery } from '@tandem/consumer'
import { json } from '@tandem/common'
import { ClockEpochs, Producer } from '@tandem/producer'
import { expect } from 'chai'

import { until } from './program.js'
import { clustersOf, createTopic, realClusters, type RealClusters } from './real-clusters.js'

/** `inKeyOrder` and its dead letters, on real clusters: what they hold, and that nothing of a key passes. */
describe('a message that cannot be handled', function () {
  this.timeout(60_000)
  let real: RealClusters
  let topic: string
  let letters: string

  before(async () => {
    real = await realClusters()
    topic = await createTopic(real, 'poisoned')
    letters = await createTopic(real, 'poisoned.dlq')
  })

  function consumerOf(groupId: string, name: string): Consumer<Buffer> {
    const highWater = new MemoryHighWaterStore()
    return new Consumer<Buffer>({ groupId, clusters: clustersOf(real), topics: [name], highWater })
  }

  it('lies in both clusters, byte for byte, before anything else of its key is handled', async () => {
    const producer = new Producer({
      producerId: 'ledger',
      clusters: clustersOf(real),
      topics: { [topic]: {}, [letters]: { codec: json } },
      epochs: new ClockEpochs(),
    })
    await producer.connect()
    const value = Buffer.from([0, 1, 0xfe, 0xff])
    const headers = { trace: 'äöü', tag: ['a', 'b'] }
    await producer.send({ topic, key: 'a', value: 'first' })
    await producer.send({ topic, key: 'a', value, headers })
    await producer.send({ topic, key: 'a', value: 'third' })
    const keys = Array.from({ length: 50 }, (_, key) => `other-${key}`)
    await Promise.all(keys.map((key) => producer.send({ topic, key, value: key })))

    const consumer = consumerOf('balances', topic)
    const handled: string[] = []
    let kept = 0
    const publish = producer.deadLetter(letters)
    const handler = (delivery: Delivery<Buffer>): void => {
      if (delivery.value.equals(value)) throw new RangeError('no such account')
      if (String(delivery.value) === 'third') expect(kept, 'the dead letter is kept').to.equal(1)
      handled.push(String(delivery.value))
    }
    const deadLetter: typeof publish = async (delivery, failure) => {
      const receipt = await publish(delivery, failure)
      kept++
      return receipt
    }
    consumer.deliveries$.pipe(inKeyOrder(handler, { retry: { attempts: 3, delayMs: 10 }, deadLetter })).subscribe()
    await until('all others are handled', () => handled.length === 52)
    expect(handled.filter((text) => ['first', 'third'].includes(text))).to.deep.equal(['first', 'third'])
    await consumer.close()
    await producer.close()

    for (const alone of ['east', 'west'] as const) {
      // Whoever reads only one of the clusters finds it there.
      const reader = new Consumer<Buffer>({
        groupId: `reader-${alone}`,
        clusters: { ...clustersOf(real), [alone === 'east' ? 'west' : 'east']: { 'bootstrap.servers': '127.0.0.1:9' } },
        topics: [letters],
        highWater: new MemoryHighWaterStore(),
        feedAwayAfterMs: 1_000,
      })
      const found: Delivery<Buffer>[] = []
      reader.deliveries$.subscribe((delivery) => found.push(delivery))
      await until(`the dead letter is in the ${alone}`, () => found.length === 1)
      const [letter] = found
      expect(letter!.bytes).to.deep.equal(value)
      expect(String(letter!.key)).to.equal('a')
      expect(text(letter!, 'trace')).to.equal('äöü')
      expect(text(letter!, 'tag')).to.equal('a,b')
      expect(text(letter!, '__connect.errors.topic')).to.equal(topic)
      expect(text(letter!, '__connect.errors.exception.message')).to.equal('no such account')
      expect(text(letter!, 'kafka_dlt-exception-fqcn')).to.equal('RangeError')
      expect(text(letter!, 'kafka_dlt-original-consumer-group')).to.equal('balances')
      expect(text(letter!, 'tandem-attempts')).to.equal('3')
      letter!.ack()
      await reader.close()
    }
  })
})

function text({ headers }: Delivery, name: string): string {
  return String(headers[name])
}
