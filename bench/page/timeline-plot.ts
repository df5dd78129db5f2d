import { axisX, axisY, gridY, line, rect, ruleX, text, type Markish } from '@observablehq/plot'

import type { Phase, Series, Timeline } from '../timeline.js'
import { COLOURS, LINES } from './colours.js'
import { legend, plot, stack, type Drawing } from './drawing.js'
import { grouped } from './groups.js'
import { logTicks } from './log-ticks.js'
import { numberText } from './number-text.js'

/** A panel for each unit, all by one clock, with what was done to the clusters shaded behind the lines. */
export function drawTimeline(title: string, { bucketMs, phases, series }: Timeline): string {
  const buckets = Math.max(0, ...series.map(({ values }) => values.length))
  const seconds = Math.max(buckets * bucketMs, ...phases.map(({ toMs }) => toMs)) / 1_000
  const background = { seconds, phases: phases.map(shaded) }
  const panels = [...grouped(series, ({ unit }) => unit)].flatMap(([unit, ofUnit], index, { length }) => {
    const lines = ofUnit.map(({ name, values }, place) => ({
      name,
      points: pointsOf(values, bucketMs),
      ...LINES[place % LINES.length]!,
    }))
    return [
      legend(WIDTH, MARGINS.marginLeft, lines),
      drawPanel({ unit, lines, isLast: index === length - 1 }, background),
    ]
  })
  return stack(title, [drawPhaseNames(background), ...panels])
}

interface Background {
  readonly seconds: number
  readonly phases: readonly Shaded[]
}

interface Shaded {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly opacity: number
  readonly row: number
}

interface Line {
  readonly name: string
  readonly colour: string
  readonly dashes: string
  readonly points: readonly Point[]
}

interface Point {
  readonly second: number
  readonly value: number | null
}

function drawPanel(
  { unit, lines, isLast }: { readonly unit: string; readonly lines: readonly Line[]; readonly isLast: boolean },
  { seconds, phases }: Background,
): Drawing {
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []))
  // The latencies of an outage and of a healthy minute are orders of magnitude apart.
  const isLog = unit === 'ms' && values.length > 0 && values.every((value) => value > 0)
  const most = Math.max(0, ...values)
  const ticks = isLog ? logTicks([Math.min(...values), most]) : 4
  const centred = { labelAnchor: 'center', labelArrow: 'none' } as const
  return plot({
    ...MARGINS,
    width: WIDTH,
    height: isLast ? PANEL_HEIGHT + AXIS_LABEL_HEIGHT : PANEL_HEIGHT,
    marginBottom: isLast ? MARGINS.marginBottom + AXIS_LABEL_HEIGHT : MARGINS.marginBottom,
    x: { domain: [0, seconds] },
    y: isLog ? { type: 'log' } : { domain: [0, most || 1], nice: true },
    marks: [
      ...shading(phases),
      gridY({ ticks, stroke: COLOURS.faint }),
      axisX({ label: isLast ? 'seconds' : null, ...centred }),
      axisY({ ticks, tickFormat: numberText, label: isLog ? `${unit}, log scale` : unit, ...centred }),
      ...lines.map(({ points, colour, dashes }) =>
        line(points, { x: 'second', y: 'value', stroke: colour, strokeDasharray: dashes, strokeWidth: 1.8 }),
      ),
    ],
  })
}

/** In two rows, since a short phase has a long name. */
function drawPhaseNames({ seconds, phases }: Background): Drawing {
  return plot({
    ...MARGINS,
    marginTop: 0,
    marginBottom: 0,
    width: WIDTH,
    height: 40,
    x: { domain: [0, seconds], axis: null },
    y: { domain: [1.6, -0.8], axis: null },
    marks: [
      ...shading(phases),
      text(phases, { x: ({ from, to }: Shaded) => (from + to) / 2, y: 'row', text: 'name', fontWeight: 'bold' }),
    ],
  })
}

function shading(phases: readonly Shaded[]): Markish[] {
  return [
    rect(phases, { x1: 'from', x2: 'to', fill: COLOURS.phase, fillOpacity: ({ opacity }: Shaded) => opacity }),
    ruleX(phases, { x: 'from', stroke: COLOURS.faint, strokeDasharray: '2 2' }),
  ]
}

/** Neighbours differ; where nothing is wrong, nothing is shaded. */
function shaded({ name, fromMs, toMs }: Phase, index: number): Shaded {
  const row = index % 2
  const opacity = name === 'healthy' ? 0 : row === 0 ? 0.2 : 0.4
  return { name, from: fromMs / 1_000, to: toMs / 1_000, opacity, row }
}

function pointsOf(values: Series['values'], bucketMs: number): readonly Point[] {
  return values.map((value, bucket) => ({ second: ((bucket + 0.5) * bucketMs) / 1_000, value }))
}

const WIDTH = 960
const PANEL_HEIGHT = 180
const AXIS_LABEL_HEIGHT = 20
const MARGINS = { marginTop: 6, marginRight: 44, marginBottom: 22, marginLeft: 70 }
