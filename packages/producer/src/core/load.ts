/**
 * What the tracks of one lane hold together. The tracks count, the lane bounds.
 *
 * `bytes` is what the records cost in memory wherever they are, queued or in the client, since a record in the client
 * is kept for the case that it must be written again.
 */
export class Load {
  records = 0
  bytes = 0
  /** Of these, what waits behind what is on disk. */
  tailBytes = 0
  /** Records in the journal that are to be read back, at most. */
  onDisk = 0
  /** Tracks that wait for what they read back. */
  reading = 0
  /** Of the bytes, what may be given up: queued, and either held by the other cluster or promised to nobody. */
  spareBytes = 0
  /** Messages that the other cluster has acknowledged and this one has not: at risk until they are written here. */
  exposed = 0
  exposedBytes = 0
  /** Messages that the other cluster has acknowledged and this one will never have: refused here, or given up. */
  forgone = 0
  /** Runs of counters still to be voided, those in the client too. */
  voids = 0
  /** What is in the client, but for tracks whose circuit is not closed: they do not use up the room of the others. */
  inClient = 0
  inClientBytes = 0
}
