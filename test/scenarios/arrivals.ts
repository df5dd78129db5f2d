import { Prng } from '../simulation/prng.js'
import { countInterleavings, drawInterleaving, interleavings, type Step } from './interleavings.js'
import { readLog } from './notation.js'
import { Stage, type Group } from './stage.js'

/** Two logs, as one group has read them. */
export interface Played {
  readonly stage: Stage
  readonly group: Group
  /** Each record came soon after the one before, so that nothing can have been waited for in vain. */
  readonly prompt: boolean
}

interface Logs {
  readonly A: string
  readonly B: string
}

interface Arrival {
  readonly step: Step
  readonly afterMs: number
}

/**
 * Lets the records of two logs arrive in every order that keeps the order within each log, and looks at what a group was
 * given. If there are too many orders, a sample of them. Then again with pauses drawn from those that matter to the
 * protocol; and with all records there before the group begins.
 */
export async function everyInterleaving(logs: Logs, look: (played: Played) => void): Promise<void> {
  const a = readLog(logs.A).length
  const b = readLog(logs.B).length
  const prng = new Prng(a * 100 + b)
  const draw = (count: number): Step[][] => Array.from({ length: count }, () => drawInterleaving(a, b, prng))
  const orders = countInterleavings(a, b) <= ORDERS_MAX ? interleavings(a, b) : draw(ORDERS_MAX)
  for (const order of orders) {
    await play(
      logs,
      order.map((step) => ({ step, afterMs: PROMPT_MS })),
      true,
      look,
    )
  }
  for (const order of draw(WITH_PAUSES)) {
    await play(
      logs,
      order.map((step) => ({ step, afterMs: prng.pick(PAUSES_MS) })),
      false,
      look,
    )
  }
  for (let seed = 1; seed <= FROM_THE_START; seed++) await playFromTheStart(logs, seed, look)
}

/** All is there before the group begins; which feed is read first, and by how much, is drawn. */
async function playFromTheStart(logs: Logs, seed: number, look: (played: Played) => void): Promise<void> {
  const prng = new Prng(seed)
  const stage = new Stage({ ...QUIET, seed, readRecordsMax: prng.between(1, 10) })
  stage.write(stage.east, logs.A)
  stage.write(stage.west, logs.B)
  prng.pick([stage.east, stage.west]).slow(prng.below(20), 'read')
  const group = await stage.group('balances')
  await watch(stage, group, true, look, `all there before the group begins, seed ${seed}`)
}

async function play(
  logs: Logs,
  arrivals: readonly Arrival[],
  prompt: boolean,
  look: (played: Played) => void,
): Promise<void> {
  const stage = new Stage(QUIET)
  const group = await stage.group('balances')
  const waiting = { A: readLog(logs.A), B: readLog(logs.B) }
  const clusters = { A: stage.east, B: stage.west }
  for (const { step, afterMs } of arrivals) {
    await stage.pass(afterMs)
    clusters[step].append(stage.world.topics[0]!, 0, waiting[step].shift()!.entry)
  }
  const told = arrivals.map(({ step, afterMs }) => (prompt ? step : `${afterMs} ms ${step}`)).join(' ')
  await watch(stage, group, prompt, look, `arriving in the order ${told}`)
}

async function watch(
  stage: Stage,
  group: Group,
  prompt: boolean,
  look: (played: Played) => void,
  how: string,
): Promise<void> {
  await stage.settle()
  try {
    group.expectWell()
    look({ stage, group, prompt })
  } catch (error) {
    throw new Error(`${how}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}

/** Beyond it a sample is drawn. */
const ORDERS_MAX = 150
const WITH_PAUSES = 50
const FROM_THE_START = 20
/** Longer than a batch takes, shorter than anything that is waited for. */
const PROMPT_MS = 20
/** Below and above the gap timeout, the time until a feed is away, and the hole timeout. */
const PAUSES_MS = [0, PROMPT_MS, 1_000, 5_500, 11_000, 61_000]
/** Nothing happens most of the time: polls may wait. */
const QUIET = { pollTimeoutMs: 1_000 }
