import type { Member } from '../core/shares.js'

/**
 * What an instance says of itself, as JSON. What cannot be read is as if nobody had said it: members are a hint, and a
 * later version may say it otherwise.
 */
export function encodeMember({ beat, reads, host }: Member): string {
  return JSON.stringify({ beat, reads, host, v: VERSION })
}

export function decodeMember(text: string): Member | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { beat, reads, host, v } = value as Record<string, unknown>
  const good =
    v === VERSION &&
    Number.isSafeInteger(beat) &&
    Array.isArray(reads) &&
    reads.every((cluster) => typeof cluster === 'string') &&
    typeof host === 'string'
  return good ? { beat: beat as number, reads: reads, host: host } : undefined
}

const VERSION = 1
