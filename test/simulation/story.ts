import type { Stamp } from '@tandem/common/internal'

import { stampIn } from './log-messages.js'
import type { Plan, Step } from './plan.js'
import type { Played } from './play.js'

/**
 * A schedule that was played, told in the words of docs/protocol.md: what was done to whom, what came of it, and the
 * logs in the notation of the scenarios (`2:1` is counter 1 of the second epoch of a producer, `v5` a void of 5). For
 * schedules that were shrunk; of a whole one nobody would read it.
 */
export function story(plan: Plan, played: Played): string {
  const lines = [...happened(plan), ...came(played)]
  lines.sort((a, b) => a.atMs - b.atMs)
  const shown = lines.slice(0, LINES_MAX)
  const told = shown.map(({ atMs, text }) => `${(atMs / 1000).toFixed(3).padStart(9)} s  ${text}`)
  if (lines.length > LINES_MAX) told.push(`            … and ${lines.length - LINES_MAX} lines more`)
  return [`seed of the world ${plan.seed}, ${settingOf(plan)}`, ...told, ...logs(played)].join('\n')
}

interface Line {
  readonly atMs: number
  readonly text: string
}

function* happened({ steps, setting }: Plan): Generator<Line> {
  for (const step of steps) yield { atMs: step.atMs, text: `* ${stepText(step)}` }
  yield { atMs: setting.minutes * 60_000, text: '* everything is healed' }
}

function stepText({ atMs: _, kind, ...rest }: Step): string {
  if (kind === 'send') return `a service sends: ${fields(rest)}`
  return `${kind}: ${fields(rest)}`
}

function* came({ world, producers, consumers }: Played): Generator<Line> {
  for (const { text, producer, closedAtMs, error } of world.sent) {
    if (closedAtMs === undefined) continue
    const answer = error === undefined ? 'acknowledged' : `rejected: ${error.code}`
    yield { atMs: closedAtMs, text: `${producer.process.name}: ${text} is ${answer}` }
  }
  for (const { consumer, text, late, redelivered, atMs } of world.seen) {
    yield {
      atMs,
      text: `${consumer.process.name} is given ${text}${late ? ', late' : ''}${redelivered ? ', again' : ''}`,
    }
  }
  for (const { process, events } of [...producers, ...consumers]) {
    for (const { kind, atMs, ...rest } of events) {
      yield { atMs: atMs - world.wallMs, text: `${process.name} tells ${kind}: ${fields(rest)}` }
    }
  }
}

function* logs({ world }: Played): Generator<string> {
  const epochs = new Map<string, string[]>()
  for (const cluster of world.clusters) {
    for (const log of cluster.logs()) {
      const records = [...log].slice(0, RECORDS_MAX).map((record) => recordText(stampIn(record), epochs))
      yield `${cluster.name}/${log.partition}: ${records.join(' ')}${log.end > RECORDS_MAX ? ' …' : ''}`
    }
  }
}

function recordText(stamp: Stamp | undefined, epochs: Map<string, string[]>): string {
  if (stamp === undefined) return '?'
  const { kind, producerId, epoch, incarnation, first, count } = stamp
  const known = epochs.get(producerId) ?? []
  epochs.set(producerId, known)
  const name = `${epoch}/${incarnation}`
  if (!known.includes(name)) known.push(name)
  const counters = count === 1 ? String(first) : `${first}–${first + count - 1}`
  return `${producerId}:${known.indexOf(name) + 1}:${kind === 'void' ? 'v' : ''}${counters}`
}

function settingOf({ setting }: Plan): string {
  return fields(setting)
}

function fields(values: object): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join('–') : String(value)}`)
    .join(', ')
}

const LINES_MAX = 120
const RECORDS_MAX = 100
