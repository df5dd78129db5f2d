import { LineFile, readLines } from '@tandem/cli/internal'
import { streamKey } from '@tandem/common/internal'
import { decodePosition } from '@tandem/consumer/internal'
import type { Redis } from 'ioredis'

export interface EffectLine {
  readonly number: number
  readonly counter: number
  readonly epoch: number
  readonly incarnation: number
  readonly keyRange: number
  readonly partition: number
}

/** What a subscriber wrote down, in order. */
export async function readEffects(path: string): Promise<EffectLine[]> {
  const effects: EffectLine[] = []
  new LineFile(path).close()
  await readLines(
    path,
    (line) => line as EffectLine,
    (effect) => effects.push(effect),
  )
  return effects
}

/** What Redis has as finished of a topic of four partitions, read without a store. */
export async function flushedPositions(redis: Redis, topic: string): Promise<(effect: EffectLine) => boolean> {
  const finished = new Map<string, (counter: number) => boolean>()
  for (let partition = 0; partition < 4; partition++) {
    const hash = await redis.hgetallBuffer(`tandem:{balances/${topic}/${partition}}:p`)
    const fields = Object.entries(hash).filter(([name]) => name.startsWith('s:') || name.startsWith('f:'))
    for (const stream of decodePosition(new Map(fields)).streams) {
      for (const { epoch, incarnation, finished: intervals } of stream.sequences) {
        finished.set(`${streamKey(stream)}@${epoch}.${incarnation}`, (counter) => intervals.has(counter))
      }
    }
  }
  return ({ keyRange, epoch, incarnation, counter }) =>
    finished.get(`${streamKey({ keyRange, producerId: 'ledger' })}@${epoch}.${incarnation}`)?.(counter) ?? false
}
