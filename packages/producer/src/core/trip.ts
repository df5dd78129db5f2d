/**
 * Whether a circuit opens: the decision, apart from the life cycle in `circuit.ts`.
 *
 * Failures alone are not enough. A broker that hangs fails nothing: librdkafka leaves records in flight alone until
 * `socket.timeout.ms`, whatever `message.timeout.ms` says, and seen from here that is silence. So the age of the
 * oldest record in the client counts too (protocol.md, Lanes and tracks).
 */
export interface TripLimits {
  /** Transient failures in a row. librdkafka has retried each of them for long already. */
  readonly failuresMax: number
  /** Age of the oldest record in the client. */
  readonly ageMsMax: number
}

export type TripReason = 'failures' | 'age'

export class Trip {
  readonly limits: TripLimits

  constructor(limits: TripLimits) {
    this.limits = limits
  }

  afterFailures(failures: number): TripReason | undefined {
    return failures >= this.limits.failuresMax ? 'failures' : undefined
  }

  atAge(ageMs: number): TripReason | undefined {
    return ageMs >= this.limits.ageMsMax ? 'age' : undefined
  }
}
