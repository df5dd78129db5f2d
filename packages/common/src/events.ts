/** Counters of a sequence that are missing; if `count` is 0, it is the turn of the sequence that is waited for. */
interface HoleName {
  topic: string
  partition: number
  stream: string
  epoch: number
  incarnation: number
  first: number
  count: number
}

/**
 * Every fact that tandem reports, once: its fields here, its level, metric labels and meaning below.
 *
 * From this list come the typed event, the log line and the metric (`tandem_<kind>_total`). A `count` field is
 * what the metric grows by. Labels are bounded in number: never a key, a stream or an offset.
 */
interface Facts {
  // Producer: lanes and tracks
  'cluster-connected': { cluster: string }
  'cluster-unreachable': { cluster: string; reason: string }
  'cluster-mismatched': { cluster: string; reason: string }
  'replication-low': { cluster: string; topic: string; replicas: number; inSync: number }
  'circuit-opened': { cluster: string; topic: string; partition: number; reason: string }
  'circuit-closed': { cluster: string; topic: string; partition: number; openMs: number }
  'lane-away': { cluster: string; reason: string }
  'lane-returned': { cluster: string; awayMs: number }
  'client-discarded': { cluster: string; reason: string; inDoubt: number }
  'record-refused': { cluster: string; topic: string; partition: number; reason: string; first: number; count: number }
  'record-hollow': { cluster: string; topic: string; partition: number; count: number }
  'record-given-up': { cluster: string; count: number; reason: string }
  'void-written': { cluster: string; topic: string; partition: number; first: number; count: number; reason: string }
  'void-refused': { cluster: string; topic: string; partition: number; first: number; count: number; reason: string }
  'message-shed': { reason: string; count: number }
  'message-undelivered': { topic: string; outcome: string; count: number }
  'partitions-grown': { cluster: string; topic: string; partitions: number; pinned: number }
  // Producer: journal
  'journal-filled': { bytes: number }
  'journal-failed': { reason: string }
  'journal-usable': Record<never, never>
  'journal-damaged': { topic: string; partition: number; first: number; count: number; reason: string }
  'journal-dropped': { bytes: number }
  'journal-found': { entries: number; bytes: number; deadLetters: number }
  'dead-letter-kept': { topic: string; outcome: string; count: number }
  'dead-letter-imported': { topic: string; fate: string; count: number }
  'dead-letter-left': { reason: string; count: number }
  // Producer: epochs
  'producer-id-taken': { by: string }
  'producer-id-unheld': { reason: string }
  'epoch-substituted': { reason: string }
  // Consumer: feeds and arbiter
  'feed-away': { cluster: string; topic: string; partition: number }
  'feed-returned': { cluster: string; topic: string; partition: number; awayMs: number }
  'feed-discounted': { cluster: string; topic: string; partition: number }
  'feed-paused': { cluster: string; topic: string; partition: number; held: number }
  'feed-scanning': { cluster: string; topic: string; partition: number; held: number; offset: number }
  'feed-sought-back': { cluster: string; topic: string; partition: number; from: number; to: number }
  'feeds-diverged': { topic: string; partition: number; stream: string; counter: number }
  'record-unstamped': { cluster: string; topic: string; partition: number; offset: number; reason: string }
  'stamp-malformed': { cluster: string; topic: string; partition: number; offset: number; reason: string }
  'frame-malformed': { cluster: string; topic: string; partition: number; offset: number; reason: string }
  'data-after-void': { cluster: string; topic: string; partition: number; stream: string; first: number; count: number }
  'positions-rejected': { topic: string; partition: number; stream: string; first: number; count: number }
  'stream-stalled': HoleName & { clusters: string }
  'stream-resumed': Omit<HoleName, 'first' | 'count'> & { stalledMs: number }
  'hole-skipped': HoleName
  'debt-opened': { topic: string; partition: number; stream: string; epoch: number; first: number; count: number }
  'debt-paid': { topic: string; partition: number; stream: string; epoch: number; first: number; count: number }
  'delivered-late': { topic: string; partition: number; stream: string; epoch: number; first: number; count: number }
  'codec-stalled': { topic: string; partition: number; cluster: string; offset: number; waitedMs: number }
  'window-stalled': { messages: number; bytes: number; waitedMs: number }
  'acknowledgement-overdue': { topic: string; partition: number; cluster: string; offset: number; count: number }
  'acknowledgement-ignored': { topic: string; count: number }
  'delivery-stalled': { topic: string; partition: number; cluster: string; offset: number; count: number }
  'poll-failed': { cluster: string; reason: string }
  'log-start-moved': { cluster: string; topic: string; partition: number; from: number; to: number }
  'position-recovered': { cluster: string; topic: string; partition: number; committed: number; from: number }
  'commit-failed': { cluster: string; reason: string }
  'positions-forgotten': { topic: string; partition: number; stream: string; count: number }
  'sequences-expired': { topic: string; partition: number; count: number; owed: number }
  'sequence-reopened': Omit<HoleName, 'count'>
  'log-truncated': { cluster: string; topic: string; partition: number; from: number; to: number }
  // Consumer: operators
  'delivery-failed': { topic: string; verdict: string; reason: string; count: number }
  'key-stalled': {
    topic: string
    partition: number
    cluster: string
    offset: number
    attempts: number
    reason: string
  }
  'dead-letter-published': { topic: string; reason: string; count: number }
  'dead-letter-failed': { topic: string; reason: string; count: number }
  'duplicate-filtered': { topic: string; count: number }
  // Consumer: store and ownership
  'store-away': { reason: string }
  'store-returned': { awayMs: number }
  'store-unsafe': { reason: string }
  'flush-refused': { topic: string; partition: number; reason: string }
  'store-behind': { topic: string; partition: number }
  'lease-acquired': { topic: string; partition: number; fence: number }
  'lease-lapsed': { topic: string; partition: number }
  'lease-regained': { topic: string; partition: number; lapsedMs: number }
  'lease-lost': { topic: string; partition: number; reason: string }
  'lease-released': { topic: string; partition: number; to: string }
  'share-withheld': { topic: string; reads: number; by: string }
  'feed-unread': { cluster: string; by: string }
  // Process
  'threads-scarce': { poolSize: number; wanted: number }
}

export type EventKind = keyof Facts

/** A fact as a core or an outside states it: without a time. */
export type TandemFact = { [K in EventKind]: { readonly kind: K } & Readonly<Facts[K]> }[EventKind]

/** A fact as a subscriber of `events$` gets it; `atMs` is milliseconds since 1970. */
export type TandemEvent = TandemFact & { readonly atMs: number }

type Level = 'debug' | 'info' | 'warn' | 'error'

interface EventInfo<K extends EventKind> {
  readonly level: Level
  readonly labels: readonly (keyof Facts[K] & string)[]
  readonly meaning: string
}

export const EVENTS: { readonly [K in EventKind]: EventInfo<K> } = {
  'cluster-connected': { level: 'info', labels: ['cluster'], meaning: 'A client of this cluster is ready.' },
  'cluster-unreachable': {
    level: 'warn',
    labels: ['cluster'],
    meaning: 'A client of this cluster could not be made ready; it is tried again.',
  },
  'cluster-mismatched': {
    level: 'error',
    labels: ['cluster'],
    meaning: 'The two clusters disagree about a topic, or are one; this one stays out until that is mended.',
  },
  'replication-low': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A topic has fewer than three replicas, or some are out of sync.',
  },
  'circuit-opened': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A track waits: its cluster does not take this partition.',
  },
  'circuit-closed': { level: 'info', labels: ['cluster', 'topic'], meaning: 'The track drains in order again.' },
  'lane-away': {
    level: 'error',
    labels: ['cluster'],
    meaning: 'A whole cluster takes nothing; the other one carries on.',
  },
  'lane-returned': { level: 'info', labels: ['cluster'], meaning: 'The cluster takes records again.' },
  'client-discarded': {
    level: 'warn',
    labels: ['cluster'],
    meaning: 'A client was given up; what it held is in doubt and written again.',
  },
  'record-refused': {
    level: 'error',
    labels: ['cluster', 'topic'],
    meaning: 'A cluster refused a record for good; a void takes its place there.',
  },
  'record-hollow': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A record was acknowledged without an offset; it is written again.',
  },
  'record-given-up': {
    level: 'warn',
    labels: ['cluster', 'reason'],
    meaning: 'A lane ran out of memory: what the other cluster holds will be voided here.',
  },
  'void-written': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A log now says that these counters will not be written to it.',
  },
  'void-refused': {
    level: 'error',
    labels: ['cluster', 'topic'],
    meaning: 'A void could not be written; consumers wait out the hole instead.',
  },
  'message-shed': { level: 'warn', labels: ['reason'], meaning: 'Messages were refused before stamping.' },
  'message-undelivered': {
    level: 'error',
    labels: ['topic', 'outcome'],
    meaning: 'Messages were given up after stamping.',
  },
  'partitions-grown': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A topic has more partitions than this epoch is pinned to.',
  },
  'journal-filled': {
    level: 'error',
    labels: [],
    meaning: 'The journal holds as much as it may; what no cluster takes waits or is shed.',
  },
  'journal-failed': {
    level: 'error',
    labels: [],
    meaning: 'The disk of the journal takes nothing; it is tried again. Until then as if there were no journal.',
  },
  'journal-usable': { level: 'info', labels: [], meaning: 'The journal takes records again.' },
  'journal-damaged': {
    level: 'error',
    labels: ['topic'],
    meaning: 'Entries of the journal cannot be read and are passed over. What no cluster has of them is lost.',
  },
  'journal-dropped': {
    level: 'error',
    labels: [],
    meaning: 'So many bytes at the end of the journal were damaged and left out. What no cluster has of them is lost.',
  },
  'journal-found': { level: 'warn', labels: [], meaning: 'An earlier life left this; it is written first.' },
  'dead-letter-kept': {
    level: 'error',
    labels: ['topic', 'outcome'],
    meaning: 'Messages whose sends were rejected are kept for an import.',
  },
  'dead-letter-imported': {
    level: 'info',
    labels: ['topic', 'fate'],
    meaning: 'Letters are dealt with: their messages were sent again, or found in one of the logs.',
  },
  'dead-letter-left': {
    level: 'warn',
    labels: ['reason'],
    meaning: 'An import left letters where they are: nothing is lost, and the next import looks again.',
  },
  'producer-id-taken': {
    level: 'error',
    labels: [],
    meaning: 'Another process writes under this producerId; both sequences are delivered, in no set order.',
  },
  'producer-id-unheld': {
    level: 'warn',
    labels: [],
    meaning: 'The lease on the producerId is not renewed; another process that starts now is not refused.',
  },
  'epoch-substituted': {
    level: 'warn',
    labels: [],
    meaning: 'The epoch is from the clock, since its store failed; nobody else is refused.',
  },
  'feed-away': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A feed brings neither records nor word of its end.',
  },
  'feed-returned': { level: 'info', labels: ['cluster', 'topic'], meaning: 'The feed is live again.' },
  'feed-discounted': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A feed answers but did not bring what was missing in time; it counts as away until it has caught up.',
  },
  'feed-paused': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A feed leads by as much as may be held; it waits for the other.',
  },
  'feed-scanning': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning:
      'A feed holds as much as may be held, and what is missing may lie behind it: it drops those payloads and reads on by stamps.',
  },
  'feed-sought-back': {
    level: 'info',
    labels: ['cluster', 'topic'],
    meaning: 'A feed that read on by stamps goes back to where it dropped payloads.',
  },
  'stream-stalled': {
    level: 'error',
    labels: ['topic'],
    meaning:
      "With `order: 'strict'`: a stream stands until the clusters named bring what is missing, or an operator has it skipped.",
  },
  'stream-resumed': { level: 'info', labels: ['topic'], meaning: 'A stream that stood goes on.' },
  'hole-skipped': {
    level: 'warn',
    labels: ['topic'],
    meaning: 'An operator had a stalled stream go on; what is missing is owed, and comes late.',
  },
  'feeds-diverged': {
    level: 'error',
    labels: ['topic'],
    meaning: 'The two logs hold different bytes under one position.',
  },
  'record-unstamped': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A record without a stamp was handled by policy.',
  },
  'stamp-malformed': {
    level: 'error',
    labels: ['cluster', 'topic'],
    meaning: 'A record has a stamp that cannot be read; handled like one without.',
  },
  'frame-malformed': {
    level: 'error',
    labels: ['cluster', 'topic'],
    meaning:
      "A frame cannot be unpacked; the other cluster's copy is tried, and if that is no better, the run is one delivery without a value.",
  },
  'data-after-void': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'A log brought data that it had voided before; there it is not believed.',
  },
  'positions-rejected': {
    level: 'warn',
    labels: ['topic'],
    meaning: 'Every feed voided these counters: their sends were rejected.',
  },
  'debt-opened': {
    level: 'warn',
    labels: ['topic'],
    meaning: 'Delivery went past a hole; what is missing is owed and comes late.',
  },
  'debt-paid': { level: 'info', labels: ['topic'], meaning: 'Something owed was delivered late and is finished.' },
  'delivered-late': {
    level: 'warn',
    labels: ['topic'],
    meaning: 'A message was delivered out of order, flagged late.',
  },
  'codec-stalled': {
    level: 'error',
    labels: ['topic'],
    meaning: 'A codec has not decoded a message for long; until it does, nothing more is delivered.',
  },
  'window-stalled': {
    level: 'error',
    labels: [],
    meaning:
      'The window has been full for `ackTimeoutMs` and nothing was acknowledged: a handler hangs, or an operator gathers more than the window lets out.',
  },
  'acknowledgement-overdue': {
    level: 'warn',
    labels: ['topic'],
    meaning: 'Deliveries have not been acknowledged for `ackTimeoutMs`; they stay with their handlers.',
  },
  'acknowledgement-ignored': {
    level: 'warn',
    labels: ['topic'],
    meaning:
      'Deliveries were acknowledged when their partition was lost or given up: whoever has it delivers them again.',
  },
  'delivery-stalled': {
    level: 'error',
    labels: ['topic'],
    meaning:
      'Deliveries were refused (`nack`) ten times each: they go on coming again, and the group resumes behind none of them.',
  },
  'poll-failed': {
    level: 'warn',
    labels: ['cluster'],
    meaning: 'The client of a feed reported an error instead of records; it is asked again.',
  },
  'log-start-moved': {
    level: 'warn',
    labels: ['cluster', 'topic'],
    meaning: 'Retention removed records that were not read yet.',
  },
  'position-recovered': {
    level: 'error',
    labels: ['cluster', 'topic'],
    meaning:
      'The store has lost the position of a feed: it is read from before what its cluster has as commit, and what was delivered since comes again.',
  },
  'commit-failed': {
    level: 'warn',
    labels: ['cluster'],
    meaning: "The group's position could not be committed to this cluster; tools that show lag see an older one.",
  },
  'positions-forgotten': {
    level: 'error',
    labels: ['topic'],
    meaning: 'There is more between what is owed than is remembered: these messages were finished, and may come again.',
  },
  'sequences-expired': {
    level: 'info',
    labels: ['topic'],
    meaning:
      'Sequences were forgotten of which neither log has anything any more; what was owed of them is owed no more.',
  },
  'sequence-reopened': {
    level: 'warn',
    labels: ['topic'],
    meaning:
      'A sequence comes again that may have been forgotten: it is delivered from there on, and owes nothing before.',
  },
  'log-truncated': {
    level: 'error',
    labels: ['cluster', 'topic'],
    meaning:
      'A log is not what was read of it: it lost its end, and may have filled it again. It is read again from there.',
  },
  'delivery-failed': {
    level: 'warn',
    labels: ['topic', 'verdict'],
    meaning: 'A handler failed or refused (`nack`): the message is tried again, or goes to the dead letters.',
  },
  'key-stalled': {
    level: 'error',
    labels: ['topic'],
    meaning: 'A message cannot be handled and there are no dead letters: its key stands, and it is tried again.',
  },
  'dead-letter-published': {
    level: 'error',
    labels: ['topic'],
    meaning: 'Messages that cannot be handled lie among the dead letters, and their keys go on.',
  },
  'dead-letter-failed': {
    level: 'error',
    labels: ['topic'],
    meaning: 'Dead letters could not be published; it is tried again, and their keys stand meanwhile.',
  },
  'duplicate-filtered': {
    level: 'info',
    labels: ['topic'],
    meaning: 'Deliveries with a business key that was seen before were acknowledged without being handled.',
  },
  'store-away': { level: 'error', labels: [], meaning: 'The high-water store does not answer.' },
  'store-returned': { level: 'info', labels: [], meaning: 'The high-water store answers again.' },
  'store-unsafe': {
    level: 'warn',
    labels: [],
    meaning:
      'The high-water store may lose what it was given: a Redis that evicts any key, or has no append-only file.',
  },
  'flush-refused': { level: 'error', labels: ['topic'], meaning: 'The store refused a flush.' },
  'store-behind': {
    level: 'warn',
    labels: ['topic'],
    meaning: 'The store lost what it had confirmed; the whole position is written again.',
  },
  'lease-acquired': { level: 'info', labels: ['topic'], meaning: 'This instance delivers the partition from now on.' },
  'lease-lapsed': {
    level: 'error',
    labels: ['topic'],
    meaning: 'A lease was not renewed in time: until it is, nothing of the partition is delivered by this instance.',
  },
  'lease-regained': {
    level: 'info',
    labels: ['topic'],
    meaning: 'A lease that had lapsed is renewed; what was given back meanwhile is delivered again.',
  },
  'lease-lost': { level: 'error', labels: ['topic'], meaning: 'Another instance took the partition from this one.' },
  'lease-released': {
    level: 'info',
    labels: ['topic'],
    meaning: 'This instance gave the partition up: for the instance that asked, or for any.',
  },
  'share-withheld': {
    level: 'warn',
    labels: ['topic'],
    meaning: 'Another instance of the group reads more clusters than this one, so this one holds nothing of the topic.',
  },
  'feed-unread': {
    level: 'warn',
    labels: ['cluster'],
    meaning: 'No instance reads both clusters: what only this one has is owed. The event names who could read it.',
  },
  'threads-scarce': {
    level: 'warn',
    labels: [],
    meaning: 'libuv has few threads; a hung cluster can hold them. Set UV_THREADPOOL_SIZE.',
  },
}
