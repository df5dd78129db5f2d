/**
 * A process that publishes as fast as it can, until it is asked to end (SIGTERM): as many sends are open as the window
 * takes. What was answered is written down, many lines at once, before more is sent.
 *
 *   node flood.js '{"producerId": …}'
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

import { LineFile } from '@tandem/cli/internal'
import { isTandemError, type Position } from '@tandem/common'
import { Producer, type ProducerOptions, type Receipt } from '@tandem/producer'

import { keyOf, transferOf } from './load.js'

export interface FloodOptions {
  readonly producerId: string
  readonly clusters: ProducerOptions['clusters']
  readonly topic: string
  readonly backlogBytesMax: number
  readonly unacknowledgedBytesMax: number
  readonly openMax: number
  readonly accounts: number
  readonly messageBytes: number
  /** What it writes down. */
  readonly path: string
}

/** What it writes down: short, since there are millions. */
export type FloodLine =
  /** A send that resolved: the message's number, its counter and its key range. */
  | readonly [number: number, counter: number, keyRange: number]
  | ({ readonly kind: 'begun' } & Omit<Position, 'counter'>)
  | { readonly kind: 'rejected'; readonly number: number; readonly code: string }
  | { readonly kind: 'event'; readonly event: string }
  /** Every answer is above, and the fate of both copies of everything is known. */
  | { readonly kind: 'closed'; readonly sent: number }

async function flood(options: FloodOptions): Promise<void> {
  const { producerId, clusters, topic, backlogBytesMax, unacknowledgedBytesMax, openMax } = options
  const ending = new AbortController()
  process.once('SIGTERM', () => ending.abort())
  const file = new LineFile(options.path)
  const producer = new Producer({
    producerId,
    clusters,
    topics: { [topic]: {} },
    backlogBytesMax,
    unacknowledgedBytesMax,
  })
  producer.events$.subscribe(({ kind }) => file.append({ kind: 'event', event: kind } satisfies FloodLine))
  await producer.connect()
  const { epoch, incarnation } = producer.status()
  file.append({ kind: 'begun', producerId, epoch: epoch!, incarnation: incarnation! } satisfies FloodLine)
  process.send!('started')

  let answered: FloodLine[] = []
  const writeDown = (): void => {
    if (answered.length > 0) file.append(...answered)
    answered = []
  }
  /** By key range: both copies of what came before it are decided when its own are. */
  const last = new Map<number, Receipt>()
  let open = 0
  let number = 0
  const sendOne = (): void => {
    const transfer = transferOf(++number, options.accounts)
    open++
    producer.send({ topic, key: keyOf(transfer), value: padded(transfer, options.messageBytes) }).then(
      (receipt) => {
        open--
        last.set(receipt.keyRange, receipt)
        answered.push([transfer.number, receipt.position.counter, receipt.keyRange])
      },
      (error: unknown) => {
        open--
        answered.push({
          kind: 'rejected',
          number: transfer.number,
          code: isTandemError(error) ? error.code : String(error),
        })
      },
    )
  }
  while (open > 0 || !ending.signal.aborted) {
    writeDown()
    for (let burst = 0; burst < BURST_MAX && open < openMax && !ending.signal.aborted; burst++) sendOne()
    await nextTurn()
  }
  writeDown()
  await Promise.all([...last.values()].map((receipt) => receipt.settled()))
  await producer.close()
  file.append({ kind: 'closed', sent: number } satisfies FloodLine)
  process.exit()
}

function padded(transfer: object, bytes: number): string {
  const text = JSON.stringify({ ...transfer, padding: '' })
  return `${text.slice(0, -2)}${'.'.repeat(Math.max(0, bytes - text.length))}"}`
}

/** Sends of one turn of the loop, so that answers are not kept waiting. */
const BURST_MAX = 1_000

await flood(JSON.parse(process.argv[2]!) as FloodOptions)
