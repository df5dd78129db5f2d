import type { Member } from '../core/shares.js'

/**
 * What an instance says of itself, as JSON. What cannot be read is as if nobody had said it: members are a hint, and a
 * later version may say it otherwise.
 */
export function encodeMember({ beat, reads, topics, holds, token, host }: Member): string {
  return JSON.stringify({ beat, reads, topics, holds: holds && byTopic(holds), token, host, v: VERSION })
}

export function decodeMember(text: string): Member | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { beat, reads, topics, holds, token, host, v } = value as Record<string, unknown>
  if (v !== VERSION || !isCount(beat) || !areNames(reads) || typeof host !== 'string') return undefined
  const member: { -readonly [K in keyof Member]: Member[K] } = { beat, reads, host }
  // An older version does not say everything.
  if (topics !== undefined) {
    if (!areNames(topics)) return undefined
    member.topics = topics
  }
  if (holds !== undefined) {
    if (!isCount(token) || !arePartitions(holds)) return undefined
    member.holds = Object.entries(holds).flatMap(([topic, partitions]) => partitions.map((one) => `${topic}/${one}`))
    member.token = token
  }
  return member
}

/** Names of partitions as partitions of topics: there may be thousands of one topic. */
function byTopic(names: readonly string[]): Record<string, number[]> {
  const topics = new Map<string, number[]>()
  for (const name of names) {
    const at = name.lastIndexOf('/')
    const [topic, partition] = [name.slice(0, at), Number(name.slice(at + 1))]
    const partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, [partition])
    else partitions.push(partition)
  }
  return Object.fromEntries(topics)
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value)
}

function arePartitions(value: unknown): value is Record<string, number[]> {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((partitions) => Array.isArray(partitions) && partitions.every(isCount))
}

function areNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

const VERSION = 1
