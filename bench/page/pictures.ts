import type { RatioReport } from '../report.js'
import type { Result } from '../result.js'
import type { Timeline } from '../timeline.js'
import { drawFigures, mainMeasureOf } from './figure-bars.js'
import { grouped } from './groups.js'
import { drawRatios } from './ratio-bars.js'
import { drawTimeline } from './timeline-plot.js'

export interface Picture {
  /** Of its file, and unlike that of every other one of the page. */
  readonly name: string
  readonly title: string
  readonly svg: string
}

export interface Pictures {
  readonly bars: readonly Picture[]
  /** One of each subject: the other rounds look much the same. */
  readonly timelines: readonly Picture[]
  readonly otherRounds: readonly Picture[]
}

export function picturesOf({ suite, subjects, ratios, timelines = [] }: Result): Pictures {
  const measure = mainMeasureOf(subjects)
  const picture = (name: string, title: string, draw: (title: string) => string): Picture => {
    return { name: `${suite}-${name}`, title, svg: draw(`${suite}: ${title}`) }
  }
  const ofRatios = (name: string, title: string, shown: readonly RatioReport[]): readonly Picture[] =>
    shown.length === 0 ? [] : [picture(name, title, (full) => drawRatios(full, shown))]
  const [judged, others] = [true, false].map((isJudged) => ratios.filter(({ reach }) => (reach !== null) === isJudged))
  const ofTimeline = (timeline: Timeline): Picture => {
    const { subject, round } = timeline
    const name = `timeline-${[...subject.matchAll(/\w+/g)].join('-')}-${round}`
    return picture(name, `${subject}, round ${round}`, (full) => drawTimeline(full, timeline))
  }
  const firsts = [...grouped(timelines, ({ subject }) => subject).values()].map(([first]) => first!)
  return {
    bars: [
      ...ofRatios('targets', 'Ratios; a thick line is what is to be reached', judged!),
      ...(measure === undefined ? [] : [picture('figures', measure, (full) => drawFigures(full, subjects, measure))]),
      ...ofRatios('ratios', 'Other ratios', others!),
    ],
    timelines: firsts.map(ofTimeline),
    otherRounds: timelines.filter((timeline) => !firsts.includes(timeline)).map(ofTimeline),
  }
}
