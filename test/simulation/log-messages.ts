import { decodeFrame, decodeStamp, STAMP_HEADER, type Stamp } from '@tandem/common/internal'

/** A record as it stands in a log, or as it is on its way there. */
interface Written {
  readonly value: Uint8Array | null
  readonly headers: readonly Readonly<Record<string, string | Buffer>>[]
}

/** A message that a record carries. */
export interface LogMessage {
  readonly counter: number
  readonly text: string
}

export function stampIn({ headers }: Pick<Written, 'headers'>): Stamp | undefined {
  const stamp = headers.find((one) => Object.hasOwn(one, STAMP_HEADER))?.[STAMP_HEADER]
  return stamp === undefined ? undefined : decodeStamp(Buffer.from(stamp))
}

/** The one message of a record, or those of a frame; none of a void, or of what has no stamp. */
export function messagesIn(record: Written): LogMessage[] {
  const stamp = stampIn(record)
  if (stamp === undefined || stamp.kind === 'void') return []
  const { kind, first, count } = stamp
  const values = kind === 'frame' ? decodeFrame(record.value, count).map(({ value }) => value) : [record.value]
  return values.map((value, index) => ({ counter: first + index, text: Buffer.from(value ?? '').toString() }))
}
