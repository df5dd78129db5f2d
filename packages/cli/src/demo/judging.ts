import { systemClock } from '@tandem/common/internal'

import { Acknowledgements, asAcknowledgement } from '../judge/acknowledgements.js'
import { takeCensus } from '../judge/bare-log-reader.js'
import { Books } from '../judge/books.js'
import { asEffect, Effects } from '../judge/effects.js'
import { readLines } from '../judge/line-file.js'
import { judgeDelivery, judgeLog } from '../judge/verdict.js'
import { commit } from './commit.js'
import type { DemoCluster } from './demo-cluster.js'
import { withObjections, type ClusterVerdict, type DemoVerdict } from './demo-verdict.js'
import { ACCOUNTS, type PlayAccount } from './play.js'
import { TOPIC, type Stage } from './stage.js'

/** Reads the evidence and both logs, and says what became of the messages. */
export async function judge(account: PlayAccount, stage: Stage, startedAt: number): Promise<DemoVerdict> {
  const { sent, acknowledgementFile, effectFile, unfinished, ...counts } = account
  const acknowledgements = new Acknowledgements(new Books(LEDGER))
  await readLines(acknowledgementFile, asAcknowledgement, (entry) => acknowledgements.add(entry))
  const effects = new Effects(new Books(LEDGER))
  await readLines(effectFile, asEffect, (entry) => effects.add(entry))

  const [east, west] = await Promise.all([
    judgeCluster(stage.east, acknowledgements),
    judgeCluster(stage.west, acknowledgements),
  ])
  const verdict: DemoVerdict = {
    ...judgeDelivery({ sent, acknowledgements, effects }),
    ...counts,
    highWaterStore: stage.highWater.kind,
    clusters: { east, west },
    commit: await commit(),
    seconds: Math.round(systemClock.now() - startedAt) / 1000,
  }
  return withObjections(verdict, unfinished)
}

async function judgeCluster(cluster: DemoCluster, acknowledgements: Acknowledgements): Promise<ClusterVerdict> {
  const { name, kind, fault, awayMs, bootstrapServers } = cluster
  const census = await takeCensus({ cluster: name, bootstrapServers, topic: TOPIC })
  return { kind, fault, awayMs, ...judgeLog(census, acknowledgements) }
}

/** What an account opens with says nothing; balances may go below zero. */
const LEDGER = { accounts: ACCOUNTS, opening: 1_000_000 }
