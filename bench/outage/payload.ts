import { valueOf } from '../consume/message-numbers.js'

/** A message says which one it is, and when it was due. */
export function payloadOf(number: number, dueMs: number): Buffer {
  const value = valueOf(number, VALUE_BYTES)
  value.writeDoubleBE(dueMs, DUE_AT)
  return value
}

export function dueIn(value: Buffer): number {
  return value.readDoubleBE(DUE_AT)
}

const VALUE_BYTES = 200
/** Behind the number. */
const DUE_AT = 4
