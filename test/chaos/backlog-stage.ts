/**
 * A backlog: a flood fills both logs, and then somebody works it off who does not get on as fast as he could read. What
 * he holds in memory meanwhile is to be what the options say.
 */
import { join } from 'node:path'

import type { NumberSet } from '@tandem/cli/internal'

import { judgeBacklog, Reading } from './backlog-verdict.js'
import { ACCOUNTS, FloodClusters, FloodProcess, PARTITIONS, TOPIC } from './flood-process.js'
import { FloodRecord, judgeFlood } from './flood-verdict.js'
import type { FloodLine, FloodOptions } from './flood.js'
import { Program } from './lives.js'
import type { ReaderLine, ReaderOptions } from './reader.js'
import type { RelayOptions } from './relay.js'
import { inFolder, timed } from './run.js'
import type { Named } from './stage.js'
import type { Verdict } from './verdict.js'
import { WatchedProgram } from './watched-program.js'

export interface Backlog extends Named {
  readonly backlog: (play: Play) => Promise<Verdict>
}

interface Play {
  readonly name: string
  readonly redisUrl: string
  readonly folder: string
  readonly tell: (text: string) => void
}

export const BACKLOGS: readonly Backlog[] = [
  { name: 'slow-subscriber', group: 'consumer', backlog: readSlowly },
  { name: 'relay-blocked', group: 'consumer', backlog: relayBlocked },
]

export function playBacklog(
  { name, backlog }: Backlog,
  redisUrl: string,
  say: (text: string) => void,
): Promise<Verdict> {
  return inFolder((folder) => backlog({ name, redisUrl, folder, tell: timed(say) }))
}

/** A hundred messages a second of a million; then that process is killed, and the next one reads as fast as it can. */
async function readSlowly({ name, redisUrl, folder, tell }: Play): Promise<Verdict> {
  await using clusters = await FloodClusters.start(['east', 'west'])
  const from = clusters.propertiesOf('east', 'west')
  const acknowledged = await fill(name, folder, from, { messages: 1_000_000, messageBytes: 200 })
  tell(`${acknowledged.size} messages wait`)
  const groupId = `${name}-${Date.now()}`
  const lives: Reading[] = []
  const startLife = async (rate: { readonly ratePerSecond?: number }): Promise<[WatchedProgram, Reading]> => {
    const reading = new Reading(ACCOUNTS)
    lives.push(reading)
    const path = join(folder, `${name}-${lives.length}`)
    const options: ReaderOptions = { groupId, clusters: from, topic: TOPIC, redisUrl, bounds: BOUNDS, ...rate, path }
    const program = await Program.start('reader', name, options, flagsFor(READER_BYTES))
    return [new WatchedProgram(program, path, (line) => reading.handle(line as ReaderLine)), reading]
  }
  const [slow, slowly] = await startLife({ ratePerSecond: 100 })
  await using _slow = slow
  await slow.goOn(SLOW_S)
  tell(`${slowly.handledAtMs.size} are handled, ${slow.residentBytesMax >> 20} MB resident; it is killed`)
  await slow.kill()
  slowly.killedAtMs = Date.now()
  const killedAt = performance.now()
  const [fast, quickly] = await startLife({})
  await using _fast = fast
  await fast.goOn(ALL_S_MAX, () => slowly.handledAtMs.size + quickly.handledAtMs.size >= acknowledged.size)
  await fast.goOn(WATCHING_ON_S) // for what should not come any more
  const recoverySeconds = secondsSince(killedAt)
  tell(`the next one handled ${quickly.handledAtMs.size}, ${fast.residentBytesMax >> 20} MB resident`)
  await fast.end()
  return judgeBacklog({
    name,
    acknowledged,
    lives,
    memory: {
      what: `resident bytes of ${name}`,
      peak: Math.max(slow.residentBytesMax, fast.residentBytesMax),
      allowed: READER_BYTES + BESIDE_BYTES,
    },
    recoverySeconds,
    faults: new Map([['consumer-kill', 1]]),
  })
}

/** What is passed on has nowhere to go for a while, and then goes there. */
async function relayBlocked({ name, redisUrl, folder, tell }: Play): Promise<Verdict> {
  await using clusters = await FloodClusters.start(['east', 'west', 'north', 'south'])
  const from = clusters.propertiesOf('east', 'west')
  const acknowledged = await fill(name, folder, from, { messages: 50_000, messageBytes: 8_000 })
  tell(`${acknowledged.size} messages wait`)
  const path = join(folder, name)
  const options: RelayOptions = {
    groupId: `${name}-${Date.now()}`,
    from,
    to: clusters.propertiesOf('north', 'south'),
    topic: TOPIC,
    redisUrl,
    bounds: BOUNDS,
    producerBounds: PRODUCER_BOUNDS,
    sendTimeoutMs: 10_000,
    path,
  }
  const record = new FloodRecord(ACCOUNTS)
  const passedOn = (): number => record.acknowledgements.numbers.size
  const program = await Program.start('relay', name, options, flagsFor(RELAY_BYTES))
  await using relay = new WatchedProgram(program, path, (line) => record.handle(line as FloodLine))
  await relay.goOn(ALL_S_MAX, () => passedOn() > acknowledged.size / 10)
  const targets = [clusters.get('north'), clusters.get('south')]
  await Promise.all(targets.map((cluster) => cluster.kill()))
  tell(`${passedOn()} are passed on; both clusters that they go to are killed`)
  await relay.goOn(BLOCKED_S)
  tell(`${passedOn()} are passed on, ${relay.residentBytesMax >> 20} MB resident`)
  for (const cluster of targets) {
    await cluster.restart()
    tell('one of them is back')
    await relay.goOn(WATCHING_ON_S)
  }
  const backAt = performance.now()
  await relay.goOn(ALL_S_MAX, () => passedOn() >= acknowledged.size)
  await relay.end()
  const recoverySeconds = secondsSince(backAt)
  tell(`${passedOn()} are passed on; both logs are read`)
  const verdict = judgeFlood({
    name,
    record,
    censuses: await clusters.censusesOf('north', 'south'),
    memory: {
      what: `resident bytes of ${name}`,
      peak: relay.residentBytesMax,
      allowed: RELAY_BYTES + BESIDE_BYTES,
    },
    recoverySeconds,
    faults: new Map([['cluster-dead', 2]]),
    told: ['circuit-opened', 'delivery-failed'],
  })
  const left = [...acknowledged].filter((number) => !record.acknowledgements.numbers.has(number)).length
  if (left === 0) return verdict
  const { figures, complaints } = verdict
  return {
    ...verdict,
    figures: { ...figures, lost: figures.lost + left },
    complaints: [...complaints, `${left} messages were not passed on`],
  }
}

/** So many messages in both logs of the clusters, all decided; returns those that were acknowledged. */
async function fill(
  name: string,
  folder: string,
  clusters: FloodOptions['clusters'],
  { messages, messageBytes }: { readonly messages: number; readonly messageBytes: number },
): Promise<NumberSet> {
  await using flood = await FloodProcess.start(name, folder, clusters, messageBytes)
  const filled = await flood.goOn(ALL_S_MAX, () => flood.count >= messages)
  if (!filled) throw new Error(`${name}: ${flood.count} of ${messages} messages after ${ALL_S_MAX} s`)
  await flood.end()
  return flood.record.acknowledgements.numbers
}

function flagsFor(bytes: number): string[] {
  return [`--max-old-space-size=${bytes >> 20}`]
}

function secondsSince(at: number): number {
  return Math.round((performance.now() - at) / 100) / 10
}

const BOUNDS = { unacknowledgedBytesMax: 16 << 20, heldBytesMax: 4 << 20 }
const PRODUCER_BOUNDS = { backlogBytesMax: 16 << 20, unacknowledgedBytesMax: 16 << 20 }
/** What librdkafka reads ahead of us, of one cluster. */
const AHEAD_BYTES = 16 << 20
/** What the options say that a reader holds: the window, and of each feed what leads and what is read ahead. */
const READER_BYTES = BOUNDS.unacknowledgedBytesMax + 2 * (PARTITIONS * BOUNDS.heldBytesMax + AHEAD_BYTES)
/** … and a relay: also a backlog for each of two lanes, and the window of its producer. */
const RELAY_BYTES = READER_BYTES + 2 * PRODUCER_BOUNDS.backlogBytesMax + PRODUCER_BOUNDS.unacknowledgedBytesMax
/**
 * Node itself, librdkafka's clients (of small messages they keep more than the bytes that they count), the objects of a
 * window of 10,000 messages, and what V8 has not collected yet.
 */
const BESIDE_BYTES = 220 << 20
const SLOW_S = 60
/** Longer than sends are waited for. */
const BLOCKED_S = 35
const ALL_S_MAX = 300
const WATCHING_ON_S = 2
