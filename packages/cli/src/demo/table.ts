import type { Snapshot } from './snapshot.js'

/** The live table, as lines of text. */
export function formatTable(now: Snapshot): string[] {
  const clusters = now.clusters.map(({ name, condition, circuit, backlog, feed, held }) => [
    name,
    condition,
    circuit,
    count(backlog),
    feed,
    count(held),
  ])
  return [
    `${seconds(now.elapsedMs)}   ${count(now.sent)} of ${count(now.messages)} sent, ${count(now.rate)}/s   ${now.phase}`,
    '',
    ...columns([['cluster', 'is', 'circuit', 'backlog', 'feed', 'held'], ...clusters], [3, 5]),
    '',
    ...columns(
      [
        ['acknowledged', 'delivered', 'late', 'duplicates dropped'],
        [count(now.acknowledged), count(now.delivered), count(now.late), count(now.duplicatesDropped)],
      ],
      [0, 1, 2, 3],
    ),
  ]
}

/** The same in one line, where nobody watches a terminal. */
export function formatProgress(now: Snapshot): string {
  const clusters = now.clusters.map(
    ({ name, condition, circuit, backlog, feed, held }) =>
      `${name} ${condition} (circuit ${circuit}, backlog ${backlog}, feed ${feed}, held ${held})`,
  )
  return [
    `${seconds(now.elapsedMs)} ${now.phase}: sent ${now.sent}, acknowledged ${now.acknowledged}`,
    `delivered ${now.delivered}, late ${now.late}, duplicates dropped ${now.duplicatesDropped}`,
    ...clusters,
  ].join(', ')
}

/** Cells under each other; those at the indices in `right` are figures. */
function columns(rows: readonly (readonly string[])[], right: readonly number[]): string[] {
  const widths = rows[0]!.map((_, index) => Math.max(...rows.map((row) => row[index]!.length)))
  return rows.map((row) =>
    row
      .map((cell, index) => (right.includes(index) ? cell.padStart(widths[index]!) : cell.padEnd(widths[index]!)))
      .join('   ')
      .trimEnd(),
  )
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
