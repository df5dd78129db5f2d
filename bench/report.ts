import type { Measured } from './rounds.js'
import { ratioOf, rounded, summaryOf, type Summary } from './statistics.js'
import type { Comparison } from './suite.js'

export interface Report {
  readonly subjects: readonly SubjectReport[]
  readonly ratios: readonly RatioReport[]
}

export interface SubjectReport extends Summary {
  readonly name: string
  readonly unit: string
}

export interface RatioReport {
  readonly name: string
  readonly value: number
  /** Null where nobody has said what is good; `met` is null, too. */
  readonly reach: number | null
  readonly met: boolean | null
}

export function reportOf(measured: Measured, comparisons: readonly Comparison[]): Report {
  const subjects = [...measured].flatMap(([name, units]) =>
    Object.entries(units).map(([unit, values]) => {
      const { median, min, max } = summaryOf(values)
      return { name, unit, median: rounded(median), min: rounded(min), max: rounded(max) }
    }),
  )
  const ratios = comparisons.flatMap(({ name, over, under, unit, reach = null }) => {
    const [upper, lower] = [over, under].map((side) => (typeof side === 'number' ? side : measured.get(side)?.[unit]))
    if (upper === undefined || lower === undefined) return [] // not measured in this run
    const value = ratioOf(upper, lower)
    return [{ name, value: rounded(value), reach, met: reach === null ? null : value >= reach }]
  })
  return { subjects, ratios }
}

export function textOf({ subjects, ratios }: Report): string {
  const width = Math.max(...[...subjects, ...ratios].map(({ name }) => name.length))
  const figure = (value: number): string => value.toLocaleString('en').padStart(9)
  return [
    ...subjects.map(
      ({ name, unit, median, min, max }) =>
        `${name.padEnd(width)} ${figure(median)} ${unit} (${figure(min).trim()} to ${figure(max).trim()})`,
    ),
    ...ratios.map(({ name, value, reach, met }) => {
      const judged = reach === null ? '' : `, to reach ${reach}: ${met === true ? 'met' : 'not met'}`
      return `${name.padEnd(width)} ${figure(value)}${judged}`
    }),
  ]
    .map((line) => `${line}\n`)
    .join('')
}
