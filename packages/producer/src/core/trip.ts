/**
 * Whether a circuit opens: the decision, apart from the life cycle in `circuit.ts`.
 *
 * Failures alone are not enough. A broker that hangs fails nothing: librdkafka leaves records in flight alone until
 * `socket.timeout.ms`, whatever `message.timeout.ms` says, and seen from here that is silence. So it counts too for how
 * long nothing is heard of the oldest that is in the client (protocol.md, Lanes and tracks).
 */
export interface TripLimits {
  /** Transient failures in a row. librdkafka has retried each of them for long already. */
  readonly failuresMax: number
  /** Of the client about the oldest that it has. */
  readonly silenceMsMax: number
}

export type TripReason = 'failures' | 'silence'

export class Trip {
  readonly limits: TripLimits

  constructor(limits: TripLimits) {
    this.limits = limits
  }

  afterFailures(failures: number): TripReason | undefined {
    return failures >= this.limits.failuresMax ? 'failures' : undefined
  }

  inSilence(silentMs: number): TripReason | undefined {
    return silentMs >= this.limits.silenceMsMax ? 'silence' : undefined
  }
}
