/**
 * Every error that tandem throws or rejects with.
 *
 * Five families say what a caller may conclude; one small class per code says what happened. The code is a
 * static of its class and read by the base through `new.target`, so that it cannot be passed wrongly.
 * Recognise errors by `isTandemError(error, code)`, not by `instanceof`: two copies of this package may live in
 * one process.
 */

/** `not-written`: no cluster holds it and none will; send it again. `unknown`: it may yet be delivered. */
export type Outcome = 'not-written' | 'unknown'

export interface ErrorDetails {
  readonly [name: string]: unknown
}

const BRAND = Symbol.for('tandem.error')

export abstract class TandemError extends Error {
  static readonly code: string = 'TANDEM_UNNAMED'
  /** Whether the same call may succeed later without a change by the caller. */
  static readonly retriable: boolean = false

  readonly code: ErrorCode
  readonly retriable: boolean
  readonly [BRAND] = true
  /** What was received, what is allowed, and where: the figures behind the message. */
  readonly details: ErrorDetails

  constructor(message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    const concrete = new.target
    this.name = concrete.name
    this.code = concrete.code as ErrorCode
    this.retriable = concrete.retriable
    this.details = details
  }
}

/** The caller's code or configuration is wrong: fix it. Nothing happened. */
export abstract class UsageError extends TandemError {}

/** Refused before stamping: nothing was written, no counter was burnt. */
export abstract class RefusedError extends TandemError {
  readonly outcome: Outcome = 'not-written'
}

/** Failed after stamping: `outcome` says whether it may yet be delivered. */
export abstract class FailedError extends TandemError {
  readonly outcome: Outcome

  constructor(message: string, outcome: Outcome, details: ErrorDetails = {}, cause?: unknown) {
    super(message, details, cause)
    this.outcome = outcome
  }
}

/** Another instance has the lease: stop, it goes on elsewhere. */
export abstract class FencedError extends TandemError {}

/** A bug in tandem. Never caught inside; the instance closes loudly. */
export class InvariantError extends TandemError {
  static override readonly code = 'TANDEM_INVARIANT'
}

export class OptionsInvalidError extends UsageError {
  static override readonly code = 'TANDEM_OPTIONS_INVALID'
}

export class MessageInvalidError extends UsageError {
  static override readonly code = 'TANDEM_MESSAGE_INVALID'
}

export class MessageOversizedError extends UsageError {
  static override readonly code = 'TANDEM_MESSAGE_OVERSIZED'
}

export class CodecFailedError extends UsageError {
  static override readonly code = 'TANDEM_CODEC_FAILED'
}

export class StampMalformedError extends UsageError {
  static override readonly code = 'TANDEM_STAMP_MALFORMED'
}

export class FrameMalformedError extends UsageError {
  static override readonly code = 'TANDEM_FRAME_MALFORMED'
}

export class NotConnectedError extends UsageError {
  static override readonly code = 'TANDEM_NOT_CONNECTED'
}

export class ClosedError extends UsageError {
  static override readonly code = 'TANDEM_CLOSED'
}

export class AlreadySubscribedError extends UsageError {
  static override readonly code = 'TANDEM_ALREADY_SUBSCRIBED'
}

export class TopicMissingError extends UsageError {
  static override readonly code = 'TANDEM_TOPIC_MISSING'
}

export class PartitionsUnequalError extends UsageError {
  static override readonly code = 'TANDEM_PARTITIONS_UNEQUAL'
}

export class TopicCompactedError extends UsageError {
  static override readonly code = 'TANDEM_TOPIC_COMPACTED'
}

export class ClusterSharedError extends UsageError {
  static override readonly code = 'TANDEM_CLUSTER_SHARED'
}

/** A program or server that `@tandem/testing` needs is not on this machine; the message names what installs it. */
export class ServiceMissingError extends UsageError {
  static override readonly code = 'TANDEM_SERVICE_MISSING'
}

/** A server of `@tandem/testing` did not start, or is not in the state that the call needs. */
export class ServiceFailedError extends UsageError {
  static override readonly code = 'TANDEM_SERVICE_FAILED'
}

export class JournalFailedError extends RefusedError {
  static override readonly code = 'TANDEM_JOURNAL_FAILED'
  static override readonly retriable = true
}

export class JournalLockedError extends RefusedError {
  static override readonly code = 'TANDEM_JOURNAL_LOCKED'
  static override readonly retriable = true
}

export class JournalForeignError extends UsageError {
  static override readonly code = 'TANDEM_JOURNAL_FOREIGN'
}

export class JournalVersionError extends UsageError {
  static override readonly code = 'TANDEM_JOURNAL_VERSION'
}

export class ProducerIdHeldError extends FencedError {
  static override readonly code = 'TANDEM_PRODUCER_ID_HELD'
  static override readonly retriable = true
}

export class ShedError extends RefusedError {
  static override readonly code = 'TANDEM_SHED'
  static override readonly retriable = true
}

/** Its caller's signal was aborted, or its own time was up, before it was stamped. */
export class AbortedError extends RefusedError {
  static override readonly code = 'TANDEM_ABORTED'
  static override readonly retriable = true
}

export class ClustersUnreachableError extends RefusedError {
  static override readonly code = 'TANDEM_CLUSTERS_UNREACHABLE'
  static override readonly retriable = true
}

export class EpochStoreFailedError extends RefusedError {
  static override readonly code = 'TANDEM_EPOCH_STORE_FAILED'
  static override readonly retriable = true
}

export class HighWaterStoreFailedError extends RefusedError {
  static override readonly code = 'TANDEM_HIGH_WATER_STORE_FAILED'
  static override readonly retriable = true
}

/** Time does not mend it. */
export class HighWaterStoreUnusableError extends UsageError {
  static override readonly code = 'TANDEM_HIGH_WATER_STORE_UNUSABLE'
}

export class UndeliveredError extends FailedError {
  static override readonly code = 'TANDEM_UNDELIVERED'
  static override readonly retriable = true
}

export class LeaseLostError extends FencedError {
  static override readonly code = 'TANDEM_LEASE_LOST'
}

export class HoleUnknownError extends UsageError {
  static override readonly code = 'TANDEM_HOLE_UNKNOWN'
}

/** Every class above, so that documentation and tests can walk the list. */
export const ERRORS = [
  InvariantError,
  OptionsInvalidError,
  MessageInvalidError,
  MessageOversizedError,
  CodecFailedError,
  StampMalformedError,
  FrameMalformedError,
  NotConnectedError,
  ClosedError,
  AlreadySubscribedError,
  TopicMissingError,
  PartitionsUnequalError,
  TopicCompactedError,
  ClusterSharedError,
  ServiceMissingError,
  ServiceFailedError,
  JournalFailedError,
  JournalLockedError,
  JournalForeignError,
  JournalVersionError,
  ProducerIdHeldError,
  ShedError,
  AbortedError,
  ClustersUnreachableError,
  EpochStoreFailedError,
  HighWaterStoreFailedError,
  HighWaterStoreUnusableError,
  UndeliveredError,
  LeaseLostError,
  HoleUnknownError,
] as const

export type ErrorCode = (typeof ERRORS)[number]['code']

/** Whether `error` is tandem's, and of this code if one is given. Never throws. */
export function isTandemError(error: unknown, code?: ErrorCode): error is TandemError {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false
  return code === undefined || (error as TandemError).code === code
}

/** Throws an InvariantError unless `good`: for our own bugs only, stays on in production. */
export function invariant(good: boolean, message: string, details?: ErrorDetails): asserts good {
  if (!good) throw new InvariantError(message, details)
}
