import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  Acknowledgements,
  asAcknowledgement,
  asEffect,
  Books,
  Effects,
  judgeDelivery,
  judgeLog,
  readLines,
  takeCensus,
  type DeliveryVerdict,
  type LogVerdict,
} from '@tandem/cli/internal'

import type { RealClusters } from './real-clusters.js'

export const ACCOUNTS = 50

/** The two files that a run is judged by, written by whoever publishes and by whoever subscribes. */
export class LedgerFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'tandem-integration-'))
  readonly acknowledgements = join(this.folder, 'acknowledgements')
  readonly effects = join(this.folder, 'effects')

  async judge(sent: number): Promise<DeliveryVerdict> {
    return judgeDelivery({
      sent,
      acknowledgements: await this.readAcknowledgements(),
      effects: await this.readEffects(),
    })
  }

  /** Whether all that was acknowledged had its effect; what was not may have had one, too. */
  async complete(sent: number): Promise<boolean> {
    return (await this.judge(sent)).lost === 0
  }

  async judgeLogs({ east, west }: RealClusters, topic: string): Promise<{ east: LogVerdict; west: LogVerdict }> {
    const acknowledgements = await this.readAcknowledgements()
    const [ofEast, ofWest] = await Promise.all(
      [east, west].map(async ({ bootstrapServers }, index) =>
        judgeLog(
          await takeCensus({ cluster: index === 0 ? 'east' : 'west', bootstrapServers, topic }),
          acknowledgements,
        ),
      ),
    )
    return { east: ofEast!, west: ofWest! }
  }

  async readAcknowledgements(): Promise<Acknowledgements> {
    const acknowledgements = new Acknowledgements(new Books({ accounts: ACCOUNTS, opening: 1_000 }))
    await readLines(this.acknowledgements, asAcknowledgement, (one) => acknowledgements.add(one))
    return acknowledgements
  }

  async readEffects(): Promise<Effects> {
    const effects = new Effects(new Books({ accounts: ACCOUNTS, opening: 1_000 }))
    await readLines(this.effects, asEffect, (one) => effects.add(one))
    return effects
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
