import type { RatioReport, SubjectReport } from '../report.js'
import { html, type Html } from './html.js'
import { numberText } from './number-text.js'

export function ratiosTable(ratios: readonly RatioReport[]): Html {
  const rows = ratios.map(({ name, value, reach, met }) => [
    name,
    value,
    reach ?? '',
    met === null ? '' : met ? 'met' : 'not met',
  ])
  return tableOf(['ratio', 'value', 'to reach', ''], rows)
}

/** Each subject is named once, before the first of its units. */
export function subjectsTable(subjects: readonly SubjectReport[]): Html {
  const rows = subjects.map(({ name, unit, median, min, max }, index) => {
    return [subjects[index - 1]?.name === name ? '' : name, unit, median, min, max]
  })
  return tableOf(['subject', 'unit', 'median', 'least', 'greatest'], rows)
}

export type Cell = string | number | Html

/** Wider than a phone if it has to be: then it can be moved. */
export function tableOf(head: readonly string[], rows: readonly (readonly Cell[])[]): Html {
  return html`<div class="wide">
    <table>
      <tr>
        ${head.map((name) => html`<th>${name}</th>`)}
      </tr>
      ${rows.map(
        (row) =>
          html`<tr>
            ${row.map(cellOf)}
          </tr> `,
      )}
    </table>
  </div>`
}

function cellOf(cell: Cell): Html {
  return typeof cell === 'number' ? html`<td class="number">${numberText(cell)}</td>` : html`<td>${cell}</td>`
}
