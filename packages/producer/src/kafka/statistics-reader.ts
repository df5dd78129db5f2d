/**
 * Of the statistics of one librdkafka client (its STATISTICS.md), the few numbers that tandem shows. It remembers the
 * last totals, since librdkafka counts from the beginning of a client and a cluster outlives its clients.
 *
 * Totals are summed over brokers before they are compared: librdkafka renames a broker once it knows its id, and forgets
 * those that leave their cluster. What grew in the five seconds in which one left may be lost by that.
 */
import type { ClientStatistics, ClientTotals } from './cluster-client.js'

export class StatisticsReader {
  #last: ClientTotals = { ...NOTHING }

  /** @returns undefined if the text is not what librdkafka writes. */
  read(text: string): ClientStatistics | undefined {
    const all = parse(text)
    const brokers = Object.values(objectOf(all?.['brokers'])).map(objectOf)
    if (all === undefined) return undefined
    const sum = (name: string): number => brokers.reduce((total, broker) => total + numberOf(broker[name]), 0)
    const totals: ClientTotals = {
      transmitErrors: sum('txerrs'),
      receiveErrors: sum('rxerrs'),
      requestTimeouts: sum('req_timeouts'),
      requestRetries: sum('txretries'),
      connects: sum('connects'),
      disconnects: sum('disconnects'),
    }
    const grown = { ...NOTHING }
    for (const name of Object.keys(grown) as (keyof ClientTotals)[]) {
      grown[name] = Math.max(0, totals[name] - this.#last[name])
    }
    this.#last = totals
    return {
      roundTripP99Ms: slowest(brokers.map((broker) => objectOf(broker['rtt']))),
      requestsInFlight: sum('waitresp_cnt'),
      requestsWaiting: sum('outbuf_cnt'),
      queueMessages: numberOf(all['msg_cnt']),
      queueBytes: numberOf(all['msg_size']),
      grown,
    }
  }
}

/** A window without an answer says 0, which would look like the quickest of all. */
function slowest(roundTrips: readonly Fields[]): number | undefined {
  const heard = roundTrips.filter((each) => numberOf(each['cnt']) > 0)
  return heard.length === 0 ? undefined : Math.max(...heard.map((each) => numberOf(each['p99']))) / MICROSECONDS
}

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined
  } catch {
    return undefined
  }
}

type Fields = Readonly<Record<string, unknown>>

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}

const NOTHING = {
  transmitErrors: 0,
  receiveErrors: 0,
  requestTimeouts: 0,
  requestRetries: 0,
  connects: 0,
  disconnects: 0,
}
/** In a millisecond. */
const MICROSECONDS = 1_000
