import {
  Acknowledgements,
  Books,
  decodeTransfer,
  Effects,
  judgeDelivery,
  judgeLog,
  LogCensus,
  objections,
  TransferSource,
  type DeliveryVerdict,
  type LogVerdict,
  type Transfer,
} from '@tandem/cli/internal'
import { decodeStamp, STAMP_HEADER } from '@tandem/common/internal'
import type { Message, Receipt } from '@tandem/producer'

import type { SimulatedCluster } from '../simulation/cluster.js'

/** A judged load on the simulated world: what was acknowledged, what was applied, what stands in the logs. */
export class Evidence {
  readonly #source = new TransferSource({ accounts: ACCOUNTS, seed: 1 })
  readonly #acknowledgements = new Acknowledgements(new Books({ accounts: ACCOUNTS, opening: OPENING }))
  readonly #effects = new Effects(new Books({ accounts: ACCOUNTS, opening: OPENING }))
  #sent = 0

  /** The next transfer, as a message to send. */
  next(topic: string): { readonly transfer: Transfer; readonly message: Message } {
    this.#sent++
    const transfer = this.#source.next()
    return { transfer, message: { topic, key: `account-${transfer.from}`, value: JSON.stringify(transfer) } }
  }

  handleAcknowledged(transfer: Transfer, { position, keyRange }: Receipt): void {
    this.#acknowledgements.add({ ...transfer, ...position, keyRange })
  }

  /** The subscriber applies what it was given. */
  handleDelivered(value: Buffer | null, late: boolean): void {
    const transfer = decodeTransfer(value)
    if (transfer !== undefined) this.#effects.add({ ...transfer, late })
  }

  judge(clusters: readonly SimulatedCluster[]): {
    delivery: DeliveryVerdict
    logs: Readonly<Record<string, LogVerdict>>
    objections: readonly string[]
  } {
    const delivery = judgeDelivery({
      sent: this.#sent,
      acknowledgements: this.#acknowledgements,
      effects: this.#effects,
    })
    const logs: Record<string, LogVerdict> = {}
    for (const cluster of clusters) logs[cluster.name] = judgeLog(census(cluster), this.#acknowledgements)
    return { delivery, logs, objections: objections(delivery, logs) }
  }
}

/** What a bare reader would count in a log. */
function census(cluster: SimulatedCluster): LogCensus {
  const counted = new LogCensus()
  for (const log of cluster.logs()) {
    for (const { value, headers } of log) {
      const transfer = decodeTransfer(value)
      const stamp = headers.find((header) => STAMP_HEADER in header)?.[STAMP_HEADER]
      if (transfer !== undefined) counted.handleMessage(transfer.number)
      else if (stamp === undefined || decodeStamp(stamp).kind !== 'void') counted.handleForeign()
      else counted.handleVoid(decodeStamp(stamp))
    }
  }
  return counted
}

const ACCOUNTS = 20
const OPENING = 1_000
