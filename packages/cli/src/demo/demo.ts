import { systemClock } from '@tandem/common/internal'

import type { Terminal } from '../commands/command.js'
import type { DemoOptions } from './demo-options.js'
import { formatVerdict, isGood } from './demo-verdict.js'
import { Display } from './display.js'
import { judge } from './judging.js'
import { Play } from './play.js'
import { setStage, type Stage } from './stage.js'
import { Teardown } from './teardown.js'

/**
 * The main job, shown and judged: two clusters, a load, one cluster away for a third of it, and the verdict.
 *
 * @returns the exit status: 0 if the verdict is good, else 1.
 */
export async function runDemo(options: DemoOptions, terminal: Terminal, signal: AbortSignal): Promise<number> {
  const startedAt = systemClock.now()
  const display = new Display(terminal.stderr, { live: terminal.stderr.isTTY === true && !options.json })
  const teardown = new Teardown()
  let stage: Stage | undefined
  try {
    display.say(`Starting two ${options.kafka ? 'Kafka' : 'embedded'} clusters.`)
    stage = await untilAborted(setStage(options, { clock: systemClock, teardown }), signal)
    display.say(`High water: ${stage.highWater.where}. Evidence: ${stage.folder}`)
    const play = new Play(options, stage, { clock: systemClock, teardown, display })
    const account = await untilAborted(play.run(signal), signal)
    display.say('Reading both logs whole.')
    const verdict = await untilAborted(judge(account, stage, startedAt), signal)
    display.leave()
    if (!isGood(verdict)) keepEvidence(stage, display)
    terminal.stdout.write(options.json ? `${JSON.stringify(verdict)}\n` : formatVerdict(verdict))
    return isGood(verdict) ? 0 : 1
  } catch (error) {
    if (stage !== undefined && !signal.aborted) keepEvidence(stage, display)
    throw error
  } finally {
    display.leave()
    await Promise.race([teardown.run(), new Promise((resolve) => setTimeout(resolve, TEARDOWN_MS).unref())])
  }
}

function keepEvidence(stage: Stage, display: Display): void {
  stage.keepFolder()
  display.say(`The evidence stays in ${stage.folder}`)
}

/** What is given up on goes on until it ends by itself, or with the process; its end is nobody's concern any more. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (stop !== undefined) signal.removeEventListener('abort', stop)
  }
}

/** Nobody waits longer for the end; what was started ends with this process. */
const TEARDOWN_MS = 15_000
