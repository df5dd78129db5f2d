/** What `send()` takes. */
export interface Message {
  readonly topic: string
  /** Messages of one key keep their order. Without a key (or null) the key ranges are taken in turn. */
  readonly key?: string | Uint8Array | null | undefined
  /** What the topic's codec takes. Without a codec: bytes, text (written as UTF-8), or null for a tombstone. */
  readonly value: unknown
  /** Text, or bytes that are UTF-8 without NUL. An array gives one header per element. */
  readonly headers?: MessageHeaders | undefined
  /** Kafka's timestamp, milliseconds since 1970, from 1; the time of the call if left out. */
  readonly timestampMs?: number | undefined
}

export interface MessageHeaders {
  readonly [name: string]: HeaderValue | readonly HeaderValue[]
}

export type HeaderValue = string | Uint8Array
