import type { SubjectReport } from '../report.js'
import { RATE } from '../suite.js'
import { drawBars, type BarGroup } from './bars.js'
import { COLOURS } from './colours.js'
import { grouped, splitName, splitUnit } from './groups.js'
import { numberText } from './number-text.js'

/** Medians of what a suite is about, with the least and the greatest of all rounds. */
export function drawFigures(title: string, subjects: readonly SubjectReport[], measure: string): string {
  const figures = subjects.filter(({ unit }) => splitUnit(unit).measure === measure).map(labelled)
  const groups = [...grouped(figures, ({ heading }) => heading)].map(([heading, ofGroup]): BarGroup => ({
    heading,
    bars: ofGroup.map(({ label, median, min, max }) => ({
      name: label,
      value: median,
      colour: COLOURS.met,
      said: numberText(median),
      ...(min < max && { range: { from: min, to: max } }),
    })),
  }))
  const most = Math.max(0, ...figures.map(({ max }) => max).filter(Number.isFinite))
  return drawBars(title, groups, { base: 0, type: 'linear', domain: [0, most || 1], ticks: 4, label: measure })
}

/** Messages by the second; or else what is told of each phase, or what is measured first. */
export function mainMeasureOf(subjects: readonly SubjectReport[]): string | undefined {
  const units = subjects.map(({ unit }) => splitUnit(unit))
  const main = units.find(({ measure }) => measure === RATE) ?? units.find(({ phase }) => phase !== '') ?? units[0]
  return main?.measure
}

/** Phases stand together by their subject, subjects by the size of their messages. */
function labelled(subject: SubjectReport): SubjectReport & { readonly heading: string; readonly label: string } {
  const { phase } = splitUnit(subject.unit)
  if (phase !== '') return { ...subject, heading: subject.name, label: phase }
  const { heading, rest } = splitName(subject.name)
  return { ...subject, heading, label: rest }
}
