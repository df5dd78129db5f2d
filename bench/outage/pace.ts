/** How often a message is due. `send` is told when its message was, and may be called before others are done. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

import { nowMs } from './clock.js'

export type Send = (dueMs: number) => Promise<void>

/**
 * So many a second, whatever becomes of them. What comes late, since the process was busy or a send was slow, was due when
 * it was due: its latency says so, and none that follows is put off. If many are due at once, the event loop turns between
 * them, as it does for a service whose requests come over the network.
 */
export async function atRate(perSecond: number, send: Send, over: AbortSignal): Promise<void> {
  const beginMs = nowMs()
  const dueMs = (index: number): number => beginMs + (index * 1_000) / perSecond
  let next = 0
  while (!over.aborted) {
    const last = next + SENDS_PER_TURN
    for (const now = nowMs(); next < last && dueMs(next) <= now; next++) void send(dueMs(next))
    await (next === last ? nextTurn() : sleep(1))
  }
}

/** As many as can be: each is due when one before it is done. */
export async function atFullSpeed(inFlightMax: number, send: Send, over: AbortSignal): Promise<void> {
  const oneByOne = async (): Promise<void> => {
    while (!over.aborted) await send(nowMs())
  }
  await Promise.all(Array.from({ length: inFlightMax }, oneByOne))
}

/** node-rdkafka brings as many reports in a turn. */
const SENDS_PER_TURN = 100
