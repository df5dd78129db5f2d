/** A counter in a sequence: where one message stands. */
export interface Position {
  readonly producerId: string
  readonly epoch: number
  readonly incarnation: number
  readonly counter: number
}

/** `ledger-7@1732290000000.2893412345:17`, for logs and messages. */
export function formatPosition(position: Position): string {
  return `${position.producerId}@${position.epoch}.${position.incarnation}:${position.counter}`
}
