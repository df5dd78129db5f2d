import { runJudged, whole, type Given, type Terminal } from '@tandem/cli/internal'

import type { Phase } from './phase.js'
import { playScale } from './play-scale.js'
import { LARGE, type ScaleSetting } from './setting.js'

/**
 * `npm run simulate:scale`: a deployment that is too large for a machine, in virtual time, judged by the simulator's
 * checkers. Exit status 0 if no promise was broken, 1 if one was, 2 for usage.
 */
export function runScale(args: readonly string[], terminal: Terminal): Promise<number> {
  const { out } = terminal
  const command = { name: 'simulate:scale', usage: USAGE, options: OPTIONS.map(({ option }) => option) }
  return runJudged(command, args, terminal, async (given, seconds) => {
    const setting = settingOf(given)
    const { violations, ...played } = await playScale(setting, (phase) => out(textOf(phase)))
    const { heldSeconds, shares, acknowledged, deliveries, deliveredSeconds, drainedSeconds, events, peakMB } = played
    for (const { promise, sentence } of violations.slice(0, SENTENCES_MAX)) out(`VIOLATED ${promise}: ${sentence}\n`)
    out(
      `all held after ${heldSeconds.alone} s by one, after ${heldSeconds.group} s by all (${shares.group.least} to ` +
        `${shares.group.most} each), after ${heldSeconds.afterLoss} s when one was lost (${shares.afterLoss.least} to ` +
        `${shares.afterLoss.most} each)\n` +
        `${acknowledged} acknowledged, ${deliveries} deliveries, ${violations.length} violations; all delivered ` +
        `${deliveredSeconds} s after the cluster was back, both logs whole after ${drainedSeconds} s\n` +
        `the model: ${events} events, ${peakMB} MB, ${seconds()} s\n`,
    )
    return { good: violations.length === 0, figures: { ...setting, ...played, violations: violations.length } }
  })
}

function settingOf(given: Given): ScaleSetting {
  const numbers = OPTIONS.map(({ option, name, min, max }) => {
    return [name, whole(option, given[option], { min, max }) ?? LARGE[name]] as const
  })
  return { ...LARGE, ...Object.fromEntries(numbers) }
}

function textOf({ name, seconds, storeCalls, clusters, leasesTaken, wallSeconds }: Phase): string {
  const calls = Object.entries(storeCalls).filter(([, perSecond]) => perSecond > 0)
  const total = calls.reduce((sum, [, perSecond]) => sum + perSecond, 0)
  const named = calls.map(([call, perSecond]) => `${call} ${figure(perSecond)}`).join(', ')
  const asked = Object.entries(clusters).map(([cluster, { questions, partitions }]) => {
    return `${cluster} ${figure(questions)} (of ${figure(partitions)} partitions)`
  })
  return (
    `${name}: ${seconds} s in ${wallSeconds} s, ${leasesTaken} leases taken\n` +
    `  store calls/s: ${figure(total)} (${named})\n` +
    `  questions about logs/s: ${asked.join(', ')}\n`
  )
}

function figure(value: number): string {
  return Math.round(value).toLocaleString('en')
}

const OPTIONS = [
  { option: 'seed', name: 'seed', min: 0, max: 2 ** 32 - 1 },
  { option: 'partitions', name: 'partitions', min: 1, max: 100_000 },
  { option: 'producers', name: 'producers', min: 1, max: 10_000 },
  { option: 'instances', name: 'instances', min: 2, max: 1_000 },
  { option: 'messages', name: 'messages', min: 1, max: 10_000_000 },
  { option: 'lease-ms', name: 'leaseMs', min: 1_000, max: 600_000 },
] as const
const SENTENCES_MAX = 10
const USAGE = `Usage: npm run simulate:scale -- [--partitions P] [--producers N] [--instances I] [--messages M] [--lease-ms L] [--seed S] [--json]

  --partitions P  of the topic; default ${LARGE.partitions}
  --producers N   default ${LARGE.producers}
  --instances I   of the group; default ${LARGE.instances}
  --messages M    default ${LARGE.messages}
  --lease-ms L    the option \`leaseMs\` of the instances; default ${LARGE.leaseMs}
  --seed S        of the world's chance; default ${LARGE.seed}
  --json          the last line of standard output is one JSON object
  --help          this text

Exit status: 0 no promise was broken, 1 one was, 2 usage.
`
