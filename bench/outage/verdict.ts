import type { LogContents } from './log-contents.js'
import { ALONE_MS_MAX } from './order.js'
import type { Samples } from './samples.js'

/** What was seen of a run: by its processes, and by a bare client in both logs. */
export interface Evidence {
  readonly sent: number
  /** A line for each send that resolved. */
  readonly acknowledged: Samples
  readonly delivered: Samples
  readonly logs: readonly LogContents[]
}

export interface Verdict {
  /** Acknowledged, and never delivered, or in no log. */
  readonly lost: number
  readonly duplicated: number
  /** Acknowledged, and a log neither holds it nor says that it never will. */
  readonly missing: number
  /** Acknowledged, and a log says that it will never hold it. */
  readonly voided: number
  /** By number of message: since when both logs hold it or have said so. */
  readonly settledAtMs: Float64Array
}

export function verdictOf({ sent, acknowledged, delivered, logs }: Evidence): Verdict {
  const deliveries = new Uint8Array(sent)
  let duplicated = 0
  for (const number of delivered.numbers) {
    if (deliveries[number] === 0) deliveries[number] = 1
    else duplicated++
  }
  const settled = logs.map((log) => log.settledAtMs())
  const settledAtMs = new Float64Array(sent).map((_, number) => Math.max(...settled.map((atMs) => atMs[number]!)))
  let [lost, missing, voided] = [0, 0, 0]
  for (const number of acknowledged.numbers) {
    const held = logs.filter(({ heldAtMs }) => heldAtMs[number]! < Infinity).length
    if (deliveries[number] === 0 || held === 0) lost++
    if (settledAtMs[number] === Infinity) missing++
    else if (held < logs.length) voided++
  }
  return { lost, duplicated, missing, voided, settledAtMs }
}

/**
 * How long after a moment the last message was settled that one log alone had had for longer than is usual; undefined if
 * that was not so before the end.
 */
export function redundantAgainMs(
  { acknowledged, settledAtMs }: Pick<Evidence, 'acknowledged'> & Pick<Verdict, 'settledAtMs'>,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number | undefined {
  let lastMs = fromMs
  for (const [index, number] of acknowledged.numbers.entries()) {
    const atMs = settledAtMs[number]!
    const aloneSinceMs = acknowledged.atMs[index]! + ALONE_MS_MAX
    if (aloneSinceMs < Math.min(atMs, toMs)) lastMs = Math.max(lastMs, atMs)
  }
  return lastMs > toMs ? undefined : lastMs - fromMs
}

/** Acknowledged messages that one log has alone at that moment. */
export function aloneAt(
  { acknowledged, settledAtMs }: Pick<Evidence, 'acknowledged'> & Pick<Verdict, 'settledAtMs'>,
  ms: number,
): number {
  return acknowledged.numbers.reduce(
    (sum, number, index) => (acknowledged.atMs[index]! <= ms && settledAtMs[number]! > ms ? sum + 1 : sum),
    0,
  )
}
