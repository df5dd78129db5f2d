import { flag, listOf, number, objectOf, optional, orNull, recordOf, text } from './json-shape.js'
import type { Machine } from './machine.js'
import type { RatioReport, Report, SubjectReport } from './report.js'
import type { Timeline } from './timeline.js'

/** What a whole run leaves in bench/results. */
export interface Result extends Report {
  readonly suite: string
  readonly quick: boolean
  readonly machine: Machine
  readonly versions: Readonly<Record<string, string>>
  readonly rounds: number
  readonly timelines?: readonly Timeline[] | undefined
  readonly commit: string
  readonly seconds: number
}

/** @throws Error that says which part of it no run would have written. */
export function resultOf(found: unknown): Result {
  return result(found, '')
}

const subject = objectOf<SubjectReport>({ name: text, unit: text, median: number, min: number, max: number })
const ratio = objectOf<RatioReport>({ name: text, value: number, reach: orNull(number), met: orNull(flag) })
const timeline = objectOf<Timeline>({
  subject: text,
  round: number,
  bucketMs: number,
  phases: listOf(objectOf({ name: text, fromMs: number, toMs: number })),
  series: listOf(objectOf({ name: text, unit: text, values: listOf(orNull(number)) })),
})
const result = objectOf<Result>({
  suite: text,
  quick: flag,
  machine: objectOf<Machine>({ cpu: text, cores: number, memoryGB: number, system: text, load: number }),
  versions: recordOf(text),
  rounds: number,
  subjects: listOf(subject),
  ratios: listOf(ratio),
  timelines: optional(listOf(timeline)),
  commit: text,
  seconds: number,
})
