import { json } from '@tandem/common'
import { Producer } from '@tandem/producer'

const producer = new Producer({
  producerId: 'ledger-1',
  clusters: {
    east: { 'bootstrap.servers': process.env['EAST'] ?? 'localhost:9092' },
    west: { 'bootstrap.servers': process.env['WEST'] ?? 'localhost:9192' },
  },
  topics: { transfers: { codec: json } },
})
producer.events$.subscribe((event) => console.error(event.kind, event))

await producer.connect() // one cluster is enough
for (let number = 1; number <= 100; number++) {
  const key = `account-${number % 10}` // what has one key keeps its order
  const receipt = await producer.send({ topic: 'transfers', key, value: { number, amount: 5 } })
  console.log(number, receipt.clusters) // who has it by now; the other one gets it as soon as it can
}
await producer.close()
