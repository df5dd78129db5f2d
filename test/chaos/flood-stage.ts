/**
 * A flood: one producer at the highest rate while one cluster is dead; then the cluster returns, and both logs are
 * judged.
 */
import { BESIDE_BYTES, FLOOD_BYTES, FloodClusters, FloodProcess } from './flood-process.js'
import { judgeFlood } from './flood-verdict.js'
import { inFolder, timed } from './run.js'
import type { Named } from './stage.js'
import type { Verdict } from './verdict.js'

export interface Flood extends Named {
  /** How long one cluster is dead. */
  readonly floodSeconds: number
}

export const FLOODS: readonly Flood[] = [
  { name: 'highest-rate', group: 'producer', floodSeconds: 120 },
  { name: 'highest-rate-longer', byNameOnly: true, floodSeconds: 300 },
]

export function playFlood({ name, floodSeconds }: Flood, say: (text: string) => void): Promise<Verdict> {
  const tell = timed(say)
  return inFolder(async (folder) => {
    await using clusters = await FloodClusters.start(['east', 'west'])
    await using flood = await FloodProcess.start(name, folder, clusters.propertiesOf('east', 'west'))
    const west = clusters.get('west')
    await flood.goOn(BOTH_THERE_S)
    tell(`west is killed, after ${flood.count} messages`)
    const before = flood.count
    await west.kill()
    await flood.goOn(floodSeconds)
    const rate = Math.round((flood.count - before) / floodSeconds)
    tell(`${rate} messages a second with one cluster, ${flood.residentBytesMax >> 20} MB resident`)
    await west.restart()
    tell('west is back')
    const backAt = performance.now()
    await flood.goOn(BOTH_THERE_S)
    await flood.end()
    const recoverySeconds = Math.round((performance.now() - backAt) / 100) / 10
    tell(`${flood.record.sent ?? 'an unknown number of'} messages are decided; both logs are read`)
    return judgeFlood({
      name,
      record: flood.record,
      censuses: await clusters.censusesOf('east', 'west'),
      memory: {
        what: `resident bytes of ${name}`,
        peak: flood.residentBytesMax,
        allowed: FLOOD_BYTES + BESIDE_BYTES,
      },
      recoverySeconds,
      faults: new Map([['cluster-dead', 1]]),
      told: ['lane-away', 'lane-returned', 'record-given-up', 'void-written'],
    })
  })
}

/** Before the one is killed, and after it is back. */
const BOTH_THERE_S = 5
