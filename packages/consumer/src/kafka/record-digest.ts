import { crc32 } from 'node:zlib'

import { STAMP_HEADER } from '@tandem/common/internal'

import type { FeedRecord } from './feed-client.js'

/** Digest of all of a record: by this a log is known again (position.md, Damaged logs). */
export function wholeDigest(record: FeedRecord, ofMessage: number): number {
  const header = record.headers.find((one) => Object.hasOwn(one, STAMP_HEADER))
  return header === undefined ? ofMessage : crc32(header[STAMP_HEADER]!, ofMessage)
}

/** Digest of what a message is: key, value and headers, but not timestamp and stamp (protocol.md, Arbitration 9). */
export function recordDigest(record: FeedRecord): number {
  let digest = record.key === null ? 1 : crc32(record.key)
  if (record.value !== null) digest = crc32(record.value, digest)
  for (const header of record.headers) {
    for (const name of Object.keys(header)) {
      if (name !== STAMP_HEADER) digest = crc32(header[name]!, crc32(name, digest))
    }
  }
  return digest
}
