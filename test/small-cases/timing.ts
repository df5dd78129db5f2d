import type { FeedIndex } from '@tandem/consumer/internal'

import { AWAY_MS, CALM, Life, LONG_MS, SHORT_MS, type Surroundings } from './life.js'
import type { Logs } from './log.js'
import { wrongAfterSilence, wrongInLife } from './verdict.js'

/** When what happens around an interleaving. */
export interface Timing extends Surroundings {
  /** One silence before the last, if any, after so many records; meanwhile a cluster may give no answers. */
  readonly silence: { readonly at: number; readonly ms: number; readonly mute: FeedIndex | undefined } | undefined
}

/** Every timing of so many records: every place and kind of a silence, every place from which on ends are answered. */
export function timings(records: number, bounds: readonly number[]): Timing[] {
  const places = Array.from({ length: records + 1 }, (_, place) => place)
  return bounds.flatMap((heldMessagesMax) =>
    (['whole', 'read'] as const).flatMap((written) =>
      places.flatMap((answersFrom) =>
        silences(records, answersFrom).map((silence) => ({ ...CALM, written, answersFrom, heldMessagesMax, silence })),
      ),
    ),
  )
}

function silences(records: number, answersFrom: number): Timing['silence'][] {
  const all: Timing['silence'][] = [undefined]
  for (let at = 0; at < records; at++) {
    for (const ms of [SHORT_MS, LONG_MS, AWAY_MS]) {
      // Where no question is answered yet, both are as good as mute; and a feed that answers does not go away.
      if (at < answersFrom || ms !== AWAY_MS) all.push({ at, ms, mute: undefined })
      if (at >= answersFrom) for (const mute of [0, 1] as const) all.push({ at, ms, mute })
    }
  }
  return all
}

/** Reads both logs in this order and rhythm, waits for the rest, and says what is wrong. */
export function wrongInCase(logs: Logs, order: readonly FeedIndex[], timing: Timing): string | undefined {
  const { silence } = timing
  const life = new Life(logs, undefined, timing)
  for (let place = 0; place < order.length; place++) {
    if (silence?.at === place) {
      life.mute = silence.mute
      life.wait(silence.ms)
      life.mute = undefined
      const wrong = silence.ms < LONG_MS ? undefined : wrongAfterSilence(life)
      if (wrong !== undefined) return wrong
    }
    life.read(order[place]!)
  }
  life.wait(LONG_MS)
  // What a feed that was paused did not read in its turn.
  for (let i = 0; i < order.length && !life.done; i++) {
    life.readRest()
    life.wait(LONG_MS)
  }
  life.arbiter.takeChanged()
  return wrongInLife(life)
}

export function showTiming({ written, answersFrom, heldMessagesMax, silence }: Timing): string {
  const words = [`ends ${written === 'whole' ? 'of all that is written' : 'of what was read'}`]
  if (answersFrom > 0) words.push(`answers from record ${answersFrom} on`)
  if (heldMessagesMax < CALM.heldMessagesMax) words.push(`${heldMessagesMax} held at most`)
  if (silence !== undefined) words.push(`${silence.ms} ms of silence after record ${silence.at}`)
  if (silence?.mute !== undefined) words.push(`in which feed ${silence.mute} gives no answer`)
  return words.join(', ')
}
