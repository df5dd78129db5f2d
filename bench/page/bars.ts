import { axisX, gridX, rect, ruleX, ruleY, text } from '@observablehq/plot'

import { COLOURS } from './colours.js'
import { plot, stack } from './drawing.js'
import { numberText } from './number-text.js'

/** A line of text, and a bar below it. */
export interface Bar {
  readonly name: string
  readonly value: number
  readonly colour: string
  /** At the end of the bar's line. */
  readonly said: string
  readonly range?: { readonly from: number; readonly to: number }
  /** Where it should end, at least. */
  readonly mark?: number | null
}

export interface BarGroup {
  readonly heading: string
  readonly bars: readonly Bar[]
}

export interface BarScale {
  /** Where bars begin. */
  readonly base: number
  readonly type: 'linear' | 'log'
  readonly domain: readonly [number, number]
  readonly ticks: number | readonly number[]
  readonly label: string
}

/** Narrow, so that it can be read on a phone as it is. */
export function drawBars(title: string, groups: readonly BarGroup[], scale: BarScale): string {
  const { base, type, domain, label } = scale
  const ticks = typeof scale.ticks === 'number' ? scale.ticks : [...scale.ticks]
  const { bars, headings, height } = placed(groups)
  const marks = bars.filter(({ mark }) => typeof mark === 'number')
  const ranges = bars.filter(({ range }) => range !== undefined)
  const inner = { marginTop: 8, marginRight: 150, marginBottom: 44, marginLeft: 16 }
  const atLeft = { frameAnchor: 'left', textAnchor: 'start', dx: -inner.marginLeft + 4, text: 'name' } as const
  const drawing = plot({
    ...inner,
    width: WIDTH,
    height: height + inner.marginTop + inner.marginBottom,
    x: { type, domain },
    y: { domain: [height, 0], axis: null },
    marks: [
      gridX({ ticks, stroke: COLOURS.faint }),
      axisX({ ticks, tickFormat: numberText, tickSize: 0, label, labelAnchor: 'center', labelArrow: 'none' }),
      text(headings, { ...atLeft, y: ({ y }: Placed) => y + 16, fontWeight: 'bold' }),
      text(bars, { ...atLeft, y: ({ y }: Placed) => y + 8, stroke: COLOURS.paper, fill: COLOURS.ink }),
      rect(bars, {
        x1: base,
        x2: 'value',
        y1: topOf,
        y2: bottomOf,
        fill: ({ colour }: Bar) => colour,
        title: ({ name, said, range }: Bar) =>
          range === undefined
            ? `${name}: ${said}`
            : `${name}: ${said} (${numberText(range.from)} to ${numberText(range.to)})`,
      }),
      ruleY(ranges, {
        x1: ({ range }: Bar) => range!.from,
        x2: ({ range }: Bar) => range!.to,
        y: middleOf,
        stroke: COLOURS.ink,
        marker: 'tick',
      }),
      ruleX(bars, { x: base, y1: topOf, y2: bottomOf, stroke: COLOURS.ink }),
      ruleX(marks, {
        x: 'mark',
        y1: topOf,
        y2: bottomOf,
        insetTop: -3,
        insetBottom: -3,
        stroke: COLOURS.ink,
        strokeWidth: 2.5,
      }),
      text(bars, { frameAnchor: 'right', textAnchor: 'start', dx: 8, y: middleOf, text: 'said' }),
    ],
  })
  return stack(title, [drawing])
}

interface Placed {
  readonly y: number
}

function placed(groups: readonly BarGroup[]): {
  readonly bars: readonly (Bar & Placed)[]
  readonly headings: readonly ({ readonly name: string } & Placed)[]
  readonly height: number
} {
  let y = 0
  const bars: (Bar & Placed)[] = []
  const headings: ({ readonly name: string } & Placed)[] = []
  for (const group of groups) {
    if (group.heading !== '') {
      headings.push({ name: group.heading, y })
      y += HEADING_HEIGHT
    }
    for (const bar of group.bars) {
      bars.push({ ...bar, y })
      y += ROW_HEIGHT
    }
  }
  return { bars, headings, height: y }
}

function topOf({ y }: Placed): number {
  return y + BAR_TOP
}

function bottomOf({ y }: Placed): number {
  return y + BAR_BOTTOM
}

function middleOf({ y }: Placed): number {
  return y + (BAR_TOP + BAR_BOTTOM) / 2
}

const WIDTH = 480
const HEADING_HEIGHT = 30
const ROW_HEIGHT = 40
const BAR_TOP = 17
const BAR_BOTTOM = 31
