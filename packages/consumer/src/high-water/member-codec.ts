import type { Member } from '../core/shares.js'

/**
 * What an instance says of itself, as JSON. What cannot be read is as if nobody had said it: members are a hint, and a
 * later version may say it otherwise.
 */
export function encodeMember({ beat, reads, topics, host }: Member): string {
  return JSON.stringify({ beat, reads, topics, host, v: VERSION })
}

export function decodeMember(text: string): Member | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { beat, reads, topics, host, v } = value as Record<string, unknown>
  if (v !== VERSION || !Number.isSafeInteger(beat) || !areNames(reads) || typeof host !== 'string') return undefined
  const member = { beat: beat as number, reads, host }
  if (topics === undefined) return member // said by a version that counts for every topic
  return areNames(topics) ? { ...member, topics } : undefined
}

function areNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

const VERSION = 1
