import { LineFile, type Transfer } from '@tandem/cli/internal'
import { json } from '@tandem/common'
import { ClockEpochs, Producer, RedisEpochStore } from '@tandem/producer'
import { Redis } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Publishes transfers at a rate and writes down each one whose `send()` resolved, before it goes on.
 *
 * A program of its own, so that it can be killed: `node publisher.js '{"clusters": …}'`. It runs in the test process
 * as well.
 */
export interface PublisherOptions {
  readonly clusters: Record<string, Record<string, unknown>>
  readonly topic: string
  readonly acknowledgements: string
  /** Numbers of the messages: first … first + count − 1; also their order within their key. */
  readonly first: number
  readonly count: number
  readonly ratePerSecond: number
  readonly accounts: number
  /** Epochs from this Redis, else from the clock. */
  readonly redisUrl?: string
  readonly framing?: 'record' | 'frame'
  /** What neither cluster takes is accepted on disk. */
  readonly journal?: { readonly path: string; readonly mode: 'on-outage' | 'always' }
}

export interface PublisherReport {
  readonly sent: number
  readonly acknowledged: number
  readonly rejected: number
}

export async function publish(options: PublisherOptions, onEvent?: (kind: string) => void): Promise<PublisherReport> {
  const redis = options.redisUrl === undefined ? undefined : new Redis(options.redisUrl)
  const producer = new Producer({
    producerId: 'ledger',
    clusters: options.clusters,
    topics: { [options.topic]: { codec: json, framing: options.framing ?? 'record' } },
    whenBothAway: { policy: options.journal === undefined ? 'block' : 'journal', timeoutMs: 30_000 },
    ...(options.journal === undefined ? {} : { journal: options.journal }),
    epochs: redis === undefined ? new ClockEpochs() : new RedisEpochStore(redis),
  })
  producer.events$.subscribe(({ kind }) => onEvent?.(kind))
  await producer.connect()
  const file = new LineFile(options.acknowledgements)
  let rejected = 0
  let acknowledged = 0
  const settled: Promise<unknown>[] = []
  const startedAt = performance.now()
  for (let sent = 0; sent < options.count; sent++) {
    const dueAt = startedAt + (sent * 1_000) / options.ratePerSecond
    if (dueAt - performance.now() > 2) await sleep(dueAt - performance.now())
    const transfer = transferOf(options.first + sent, options.accounts)
    const done = producer.send({ topic: options.topic, key: `account-${transfer.from}`, value: transfer }).then(
      (receipt) => {
        acknowledged++
        file.append({ ...transfer, ...receipt.position, keyRange: receipt.keyRange })
        return receipt.settled()
      },
      () => void rejected++,
    )
    settled.push(done)
  }
  await Promise.all(settled)
  await producer.close()
  file.close()
  redis?.disconnect()
  return { sent: options.count, acknowledged, rejected }
}

function transferOf(number: number, accounts: number): Transfer {
  const from = number % accounts
  return { number, order: number, from, to: (from + 7) % accounts, amount: 1 + (number % 100) }
}

if (process.argv[1]?.endsWith('publisher.js')) {
  const report = await publish(JSON.parse(process.argv[2]!) as PublisherOptions)
  console.log(JSON.stringify(report))
}
