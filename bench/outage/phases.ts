/** The phases of a run, one after the other: all is well, and then each fault and what comes after it. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Phase } from '../timeline.js'
import { nowMs } from './clock.js'
import { HEALTHY } from './subjects.js'

export interface PlayedPhase extends Phase {
  /** Of what comes after a fault: since when the cluster answers again. */
  readonly healedMs?: number
}

export interface Lengths {
  readonly healthyMs: number
  readonly faultMs: number
  /** After a fault both logs are to be complete again before the next one. */
  readonly afterMsMin: number
  readonly afterMsMax: number
}

/** A fault of a cluster that is known. */
export interface BoundFault {
  readonly name: string
  strike(ms: number): Promise<void>
  heal(): Promise<void>
}

/** @param redundantSince whether both clusters have everything, as far as one knows from later than that. */
export async function playPhases(
  faults: readonly BoundFault[],
  { healthyMs, faultMs, afterMsMin, afterMsMax }: Lengths,
  redundantSince: (ms: number) => boolean,
  signal: AbortSignal,
): Promise<readonly PlayedPhase[]> {
  const played: PlayedPhase[] = []
  let fromMs = nowMs()
  const close = (name: string, healedMs?: number): void => {
    const toMs = nowMs()
    played.push({ name, fromMs, toMs, ...(healedMs !== undefined && { healedMs }) })
    fromMs = toMs
  }
  await sleep(healthyMs, undefined, { signal })
  close(HEALTHY)
  for (const fault of faults) {
    const { name } = fault
    await fault.strike(faultMs)
    close(name)
    await fault.heal()
    const healedMs = nowMs()
    const isOver = (): boolean => {
      const afterMs = nowMs() - healedMs
      return afterMs >= afterMsMax || (afterMs >= afterMsMin && redundantSince(healedMs))
    }
    while (!isOver()) await sleep(LOOK_EVERY_MS, undefined, { signal })
    close(afterOf(name), healedMs)
  }
  return played
}

export function afterOf(fault: string): string {
  return `after ${fault}`
}

const LOOK_EVERY_MS = 20
