import type { Plan, Setting, Step } from './plan.js'

/** Whether a plan still shows what is looked for. */
export type Shows = (plan: Plan) => Promise<boolean>

/**
 * Leaves out of a plan whatever is not needed to show something: steps in ever smaller portions (Zeller's delta
 * debugging), then the minutes after the last one, then settings that can be ordinary. Deterministic, since a plan is
 * data; at most `runsMax` plans are tried, so that it ends in bounded time.
 */
export async function shrink(plan: Plan, shows: Shows, runsMax: number): Promise<Plan> {
  let best = plan
  let runs = 0
  const attempt = async (candidate: Plan): Promise<boolean> => {
    if (runs >= runsMax) return false
    runs++
    if (!(await shows(candidate))) return false
    best = candidate
    return true
  }
  await attempt(withoutTail(best))
  for (const ordinary of ORDINARY) await attempt({ ...best, setting: { ...best.setting, ...ordinary } })
  let size = Math.ceil(best.steps.length / 2)
  while (size >= 1 && runs < runsMax) {
    let leftOut = false
    // From the end, so that what is left out does not move what is still to be tried.
    for (let end = best.steps.length; end > 0; end -= size) {
      const from = Math.max(0, end - size)
      const steps = [...best.steps.slice(0, from), ...best.steps.slice(end)]
      if (await attempt({ ...best, steps })) leftOut = true
    }
    if (size === 1 && !leftOut) break
    size = size === 1 ? 1 : Math.ceil(size / 2)
  }
  for (const [index, step] of best.steps.entries()) {
    if (step.kind === 'send' && step.count > 1) {
      const steps: Step[] = [...best.steps]
      steps[index] = { ...step, count: 1 }
      await attempt({ ...best, steps })
    }
  }
  await attempt(withoutTail(best))
  return best
}

/** Heals soon after the last step. */
function withoutTail(plan: Plan): Plan {
  const lastMs = plan.steps.at(-1)?.atMs ?? 0
  const minutes = Math.min(plan.setting.minutes, (lastMs + 15_000) / 60_000)
  return { ...plan, setting: { ...plan.setting, minutes } }
}

const ORDINARY: readonly Partial<Setting>[] = [
  { partitions: 1 },
  { order: 'late' },
  { instances: 1 },
  { unstamped: false },
  { aged: undefined },
  { books: false },
  { framing: 'record' },
  { brokers: 1 },
  { latencyMs: [1, 5] },
  { readRecordsMax: 500 },
  { writeRecordsMax: 500 },
  { hollowPercent: 0 },
  { lateAppendPercent: 0 },
  { handleMs: 0 },
  { handleLateMs: 0 },
  { refusedPercent: 0 },
  { keyConcurrency: 0 },
  { unacknowledgedMax: 10_000 },
  { heldMessagesMax: 50_000 },
  { backlogBytesMax: 64 << 20 },
  { paddingBytes: 0 },
  { copyAgeMaxMs: 86_400_000 },
  { acknowledge: 'one' },
  { epochs: 'store' },
  { whenBothAway: 'reject' },
  { sendTimeoutMs: 30_000 },
]
