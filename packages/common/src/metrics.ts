/**
 * Every metric that is not the count of an event, once: events are counted under their own names (events.ts).
 *
 * Attributes are bounded in number: never a key, a stream or an offset. `rises` says what to conclude from more of it.
 */
export interface MetricInfo {
  readonly kind: 'counter' | 'histogram' | 'gauge'
  /** As UCUM writes it; in braces what is counted. */
  readonly unit: string
  readonly attributes: readonly string[]
  readonly meaning: string
  readonly rises: string
}

const CLUSTER = ['producer_id', 'cluster'] as const
const PRODUCER = ['producer_id'] as const
const SENT = ['messaging.system', 'messaging.operation.name', 'messaging.destination.name', 'error.type'] as const

export const METRICS = {
  // OpenTelemetry's semantic conventions for messaging
  'messaging.client.operation.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: [...SENT, 'messaging.operation.type'],
    meaning: 'From the call of `send()` until it resolves or rejects.',
    rises: 'Messages wait for a broker, for the disk or for room in the window; or calls fail: see `error.type`.',
  },
  'messaging.client.sent.messages': {
    kind: 'counter',
    unit: '{message}',
    attributes: SENT,
    meaning: 'Messages that were stamped and whose `send()` is over; not those that were refused before.',
    rises: 'Traffic. With an `error.type`: messages were given up, see `message-undelivered`.',
  },
  // status(), one value per cluster
  tandem_producer_away: {
    kind: 'gauge',
    unit: '{cluster}',
    attributes: CLUSTER,
    meaning: '1 while the cluster takes nothing.',
    rises: 'New messages have one copy only, or none. Mend this cluster.',
  },
  tandem_producer_circuits_open: {
    kind: 'gauge',
    unit: '{partition}',
    attributes: CLUSTER,
    meaning: 'Partitions that the cluster does not take, those that are being tried again too.',
    rises: 'They have lost their leader or a broker is gone; what belongs there has one copy until it is back.',
  },
  tandem_producer_backlog_records: {
    kind: 'gauge',
    unit: '{record}',
    attributes: CLUSTER,
    meaning: 'Records in memory that the cluster has not acknowledged.',
    rises: 'The cluster is slower than the traffic, or away.',
  },
  tandem_producer_backlog_bytes: {
    kind: 'gauge',
    unit: 'By',
    attributes: CLUSTER,
    meaning: 'The memory that these records take.',
    rises: 'At `backlogBytesMax` the queue goes on in the journal; without one, copies are given up and voided.',
  },
  tandem_producer_oldest_unacknowledged_seconds: {
    kind: 'gauge',
    unit: 's',
    attributes: CLUSTER,
    meaning: 'Age of the oldest of these records; 0 if there is none.',
    rises: 'The cluster lags behind the other by as much; after 5 s a circuit opens.',
  },
  tandem_producer_voids: {
    kind: 'gauge',
    unit: '{run}',
    attributes: CLUSTER,
    meaning: 'Runs of counters that are still to be voided in the cluster.',
    rises: 'Copies were refused or given up, and consumers cannot be told yet.',
  },
  tandem_producer_on_disk_records: {
    kind: 'gauge',
    unit: '{record}',
    attributes: CLUSTER,
    meaning: 'Records in the journal that are still to be written to the cluster, about.',
    rises: 'An outage is being bridged by the disk; watch `tandem_producer_journal_bytes`.',
  },
  tandem_producer_exposure_messages: {
    kind: 'gauge',
    unit: '{message}',
    attributes: CLUSTER,
    meaning: 'Acknowledged messages that this cluster alone holds.',
    rises: 'So many are lost if this cluster is lost now: the other one is slow or away.',
  },
  tandem_producer_exposure_bytes: {
    kind: 'gauge',
    unit: 'By',
    attributes: CLUSTER,
    meaning: 'The memory that their other copies take until they are written.',
    rises: 'As above.',
  },
  tandem_producer_exposure_oldest_seconds: {
    kind: 'gauge',
    unit: 's',
    attributes: CLUSTER,
    meaning: 'For how long it alone has held the oldest of them; 0 if there is none.',
    rises: 'The other cluster does not catch up.',
  },
  // status(), one value
  tandem_producer_window_messages: {
    kind: 'gauge',
    unit: '{message}',
    attributes: PRODUCER,
    meaning: 'Messages that are stamped and whose `send()` is not over.',
    rises: 'Acknowledgements take longer than before; at `unacknowledgedMax` calls wait or are shed.',
  },
  tandem_producer_window_bytes: {
    kind: 'gauge',
    unit: 'By',
    attributes: PRODUCER,
    meaning: 'The same in bytes.',
    rises: 'As above; the bound is `unacknowledgedBytesMax`.',
  },
  tandem_producer_window_waiting: {
    kind: 'gauge',
    unit: '{message}',
    attributes: PRODUCER,
    meaning: 'Messages that wait to be stamped.',
    rises: 'Nobody takes them: both clusters are away, a codec is slow, or the window is full. Shedding is next.',
  },
  tandem_producer_journal_entries: {
    kind: 'gauge',
    unit: '{entry}',
    attributes: PRODUCER,
    meaning: 'Records on disk that are not in both logs, about; not there without a journal.',
    rises: 'A cluster does not take what the disk keeps for it.',
  },
  tandem_producer_journal_bytes: {
    kind: 'gauge',
    unit: 'By',
    attributes: PRODUCER,
    meaning: 'The same in bytes.',
    rises: 'At `journal.bytesMax` it is as if there were no journal.',
  },
  tandem_producer_journal_usable: {
    kind: 'gauge',
    unit: '{journal}',
    attributes: PRODUCER,
    meaning: '1 while the journal takes records, 0 while it is full, too slow or its disk fails.',
    rises: 'Good. When it falls, nothing more is accepted on disk.',
  },
  // librdkafka's statistics, summed over the brokers of a cluster
  tandem_client_round_trip_p99_seconds: {
    kind: 'gauge',
    unit: 's',
    attributes: CLUSTER,
    meaning: 'Of the slowest broker: 99 of 100 answers took no longer. Not there when none answered.',
    rises:
      'A broker, its disk or the network is slow. When it is missing while requests are in flight, nobody answers.',
  },
  tandem_client_requests_in_flight: {
    kind: 'gauge',
    unit: '{request}',
    attributes: CLUSTER,
    meaning: 'Requests sent and not answered.',
    rises: 'Brokers answer late; the most is 5 per broker.',
  },
  tandem_client_requests_waiting: {
    kind: 'gauge',
    unit: '{request}',
    attributes: CLUSTER,
    meaning: 'Requests that wait to be sent.',
    rises: 'The connection is down or too slow for the traffic.',
  },
  tandem_client_queue_messages: {
    kind: 'gauge',
    unit: '{message}',
    attributes: CLUSTER,
    meaning: 'Records in the queues of the client, those in flight too.',
    rises: 'The cluster is slower than the traffic; what the client has no room for waits in the backlog.',
  },
  tandem_client_queue_bytes: {
    kind: 'gauge',
    unit: 'By',
    attributes: CLUSTER,
    meaning: 'The same in bytes.',
    rises: 'As above.',
  },
  tandem_client_transmit_errors_total: {
    kind: 'counter',
    unit: '{error}',
    attributes: CLUSTER,
    meaning: 'Requests that could not be sent.',
    rises: 'Connections break: network, or brokers that restart.',
  },
  tandem_client_receive_errors_total: {
    kind: 'counter',
    unit: '{error}',
    attributes: CLUSTER,
    meaning: 'Answers that could not be received or read.',
    rises: 'As above, or something in between alters what it carries.',
  },
  tandem_client_request_timeouts_total: {
    kind: 'counter',
    unit: '{request}',
    attributes: CLUSTER,
    meaning: 'Requests that were not answered in 10 s.',
    rises: 'A broker hangs or is cut off; the circuit has opened before.',
  },
  tandem_client_request_retries_total: {
    kind: 'counter',
    unit: '{request}',
    attributes: CLUSTER,
    meaning: 'Requests that the client sent again.',
    rises: 'Brokers refuse for the moment: leaders move, or too few replicas are in sync.',
  },
  tandem_client_connects_total: {
    kind: 'counter',
    unit: '{connection}',
    attributes: CLUSTER,
    meaning: 'Attempts to connect to a broker, failed ones too.',
    rises: 'A broker is not reached, or does not keep its connections.',
  },
  tandem_client_disconnects_total: {
    kind: 'counter',
    unit: '{connection}',
    attributes: CLUSTER,
    meaning: 'Connections that ended.',
    rises: 'Brokers restart, or something in between closes connections; idle ones are closed now and then.',
  },
} as const satisfies Readonly<Record<string, MetricInfo>>

export type MetricName = keyof typeof METRICS
