import type { FeedIndex } from '@tandem/consumer/internal'

import { AWAY_MS, CALM, FEEDS, Life, LONG_MS, SHORT_MS, type Surroundings } from './life.js'
import type { Logs } from './log.js'
import { wrongAfterSilence, wrongInLife } from './verdict.js'

/** When what happens around an interleaving. */
export interface Timing extends Surroundings {
  /** Before the last one, which there always is. */
  readonly silences: readonly PlannedSilence[]
}

interface PlannedSilence {
  /** Records read by then. */
  readonly at: number
  readonly ms: number
  /** A cluster that gives no answers meanwhile. */
  readonly mute: FeedIndex | undefined
}

/**
 * Every timing of so many records: every place and kind of a silence, every place from which on ends are answered.
 *
 * @param silencesMax 1, or 2: a short silence after a long one, at each place and of each kind.
 */
export function timings(records: number, bounds: readonly number[], silencesMax: 1 | 2): Timing[] {
  const places = Array.from({ length: records + 1 }, (_, place) => place)
  return bounds.flatMap((heldMessagesMax) =>
    (['whole', 'read'] as const).flatMap((written) =>
      places.flatMap((answersFrom) =>
        silences(records, answersFrom, silencesMax).map((silences) => ({
          ...CALM,
          written,
          answersFrom,
          heldMessagesMax,
          silences,
        })),
      ),
    ),
  )
}

function silences(records: number, answersFrom: number, silencesMax: 1 | 2): (readonly PlannedSilence[])[] {
  const all: (readonly PlannedSilence[])[] = [[]]
  for (let at = 0; at < records; at++) {
    for (const first of [SHORT_MS, LONG_MS, AWAY_MS].flatMap((ms) => silencesAt(at, ms, answersFrom))) {
      all.push([first])
      if (silencesMax === 1 || first.ms === SHORT_MS) continue
      for (let later = at + 1; later < records; later++) {
        for (const second of silencesAt(later, SHORT_MS, answersFrom)) all.push([first, second])
      }
    }
  }
  return all
}

function silencesAt(at: number, ms: number, answersFrom: number): PlannedSilence[] {
  // Where no question is answered yet, both are as good as mute; and a feed that answers does not go away.
  if (at < answersFrom) return [{ at, ms, mute: undefined }]
  const feeds = ms === AWAY_MS ? FEEDS : [undefined, ...FEEDS]
  return feeds.map((mute) => ({ at, ms, mute }))
}

/** Reads both logs in this order and rhythm, waits for the rest, and says what is wrong. */
export function wrongInCase(logs: Logs, order: readonly FeedIndex[], timing: Timing): string | undefined {
  const life = new Life(logs, undefined, timing)
  for (let place = 0; place < order.length; place++) {
    for (const silence of timing.silences) {
      if (silence.at !== place) continue
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

export function showTiming({ written, answersFrom, heldMessagesMax, silences }: Timing): string {
  const words = [`ends ${written === 'whole' ? 'of all that is written' : 'of what was read'}`]
  if (answersFrom > 0) words.push(`answers from record ${answersFrom} on`)
  if (heldMessagesMax < CALM.heldMessagesMax) words.push(`${heldMessagesMax} held at most`)
  for (const { at, ms, mute } of silences) {
    words.push(`${ms} ms of silence after record ${at}${mute === undefined ? '' : `, feed ${mute} gives no answer`}`)
  }
  return words.join(', ')
}
