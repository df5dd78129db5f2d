import type { RatioReport } from '../report.js'
import { drawBars, type BarGroup } from './bars.js'
import { COLOURS } from './colours.js'
import { grouped, splitName } from './groups.js'
import { logTicks } from './log-ticks.js'
import { numberText } from './number-text.js'

/** How far each ratio is from 1, where both sides are alike; on a log scale twice is as far as half. */
export function drawRatios(title: string, ratios: readonly RatioReport[]): string {
  const domain = domainOf(ratios.flatMap(({ value, reach }) => [value, reach ?? 1]).filter((value) => value > 0))
  const groups = [...grouped(ratios, ({ name }) => splitName(name).heading)].map(([heading, ofGroup]): BarGroup => ({
    heading,
    bars: ofGroup.map((ratio) => ({
      name: splitName(ratio.name).rest,
      value: Number.isFinite(ratio.value) ? Math.max(ratio.value, domain[0]) : 1,
      colour: colourOf(ratio),
      said: saidOf(ratio),
      mark: ratio.reach,
    })),
  }))
  return drawBars(title, groups, { base: 1, type: 'log', domain, ticks: logTicks(domain), label: 'ratio, log scale' })
}

function saidOf({ value, reach, met }: RatioReport): string {
  const said = numberText(value)
  return reach === null ? said : `${said}, ${met ? 'met' : 'not met'} (${numberText(reach)})`
}

function colourOf({ met }: RatioReport): string {
  return met === null ? COLOURS.plain : met ? COLOURS.met : COLOURS.missed
}

/** With room at both ends, and never so narrow that nearly alike looks far apart. */
function domainOf(values: readonly number[]): readonly [number, number] {
  return [Math.min(0.5, ...values) / 1.1, Math.max(2, ...values) * 1.1]
}
