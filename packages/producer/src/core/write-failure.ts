/**
 * Why a cluster did not take a record, as far as a track must tell one from another.
 *
 * - `transient`: may work later, and may already be in the log. Whatever is not known for certain is this.
 * - `refused`: this cluster will never take this record.
 * - `denied`: this cluster will not take this record, and says nothing of what its client may have tried before.
 * - `batch-refused`: the batch that held the record was refused for good; which record is to blame is not said.
 * - `queue-full`: the client has no room; the record was not handed over.
 * - `fatal`: the client is of no use any more.
 */
export interface WriteFailure {
  readonly kind: 'transient' | 'refused' | 'denied' | 'batch-refused' | 'queue-full' | 'fatal'
  readonly reason: string
}
