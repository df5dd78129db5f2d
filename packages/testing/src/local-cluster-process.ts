/**
 * The embedded cluster's own process: a librdkafka client that carries a mock cluster, which listens on 127.0.0.1. It
 * tells its owner the addresses, then just is there.
 */
import rdkafka from 'node-rdkafka'

const brokers = Number(process.argv[2])
const client = new rdkafka.Producer({
  'test.mock.num.brokers': brokers,
  // The brokers are its own; the name is one of the mandatory properties and is overwritten.
  'bootstrap.servers': 'embedded',
} as rdkafka.ProducerGlobalConfig)
client.on('event.log', ({ message }: { message: string }) => console.log(message))
client.connect({ timeout: 10_000 }, (error, metadata) => {
  if (error) throw new Error(`the embedded cluster does not answer: ${error.message}`)
  process.send?.({ bootstrapServers: metadata.brokers.map(({ host, port }) => `${host}:${port}`).join() })
})
process.on('disconnect', () => process.exit())
