import type { Result } from '../result.js'
import { html, Html } from './html.js'
import { picturesOf, type Picture } from './pictures.js'
import { STYLE } from './style.js'
import { ratiosTable, subjectsTable, tableOf, type Cell } from './tables.js'

/** A result, and when its run ended, if its file tells. */
export interface Run {
  readonly result: Result
  readonly at: string | undefined
}

/** One page of what was measured, which needs nothing but itself. */
export function pageOf(runs: readonly Run[]): string {
  const suites = runs.map(({ result }) => result.suite).join(', ')
  const commits = [...new Set(runs.map(({ result }) => short(result.commit)))].join(', ')
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>tandem bench: ${suites} at ${commits}</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <h1>tandem bench</h1>
        <p>
          Every subject was measured once a round; a figure is the median of its rounds, with the least and the
          greatest. Ratios were taken within each round, and their median is told.
        </p>
        ${tableOf(['suite', 'commit', 'measured', 'rounds', 'targets met'], runs.map(summaryOf))} ${runs.map(sectionOf)}
      </body>
    </html> `.text
}

function summaryOf({ result: { suite, commit, rounds, ratios }, at = '–' }: Run): readonly Cell[] {
  const judged = ratios.filter(({ reach }) => reach !== null)
  const met = judged.filter(({ met }) => met).length
  const targets = judged.length === 0 ? '–' : `${met} of ${judged.length}`
  return [html`<a href="#${suite}">${suite}</a>`, short(commit), at, rounds, targets]
}

function sectionOf({ result, at = 'at an unknown time' }: Run): Html {
  const { suite, quick, rounds, seconds, commit, machine, versions, ratios, subjects } = result
  const { cpu, cores, memoryGB, system, load } = machine
  const { bars, timelines, otherRounds } = picturesOf(result)
  const took = seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return html`<section id="${suite}">
    <h2>${suite}</h2>
    <dl>
      <dt>measured</dt>
      <dd>${at}, in ${took}; rounds: ${rounds}${quick ? ', quick' : ''}</dd>
      <dt>commit</dt>
      <dd>${commit}</dd>
      <dt>machine</dt>
      <dd>${cpu}; ${cores} cores, ${memoryGB} GB; ${system}; load of ${load} before</dd>
      <dt>versions</dt>
      <dd>${parts.join(', ')}</dd>
    </dl>
    <div class="bars">${bars.map(figureOf)}</div>
    ${timelines.map(figureOf)}
    ${
      otherRounds.length === 0
        ? ''
        : html`<details>
            <summary>Timelines of other rounds</summary>
            ${otherRounds.map(figureOf)}
          </details>`
    }
    ${
      ratios.length === 0
        ? ''
        : html`<h3>All ratios</h3>
            ${ratiosTable(ratios)}`
    }
    <h3>All figures</h3>
    ${subjectsTable(subjects)}
  </section> `
}

function figureOf({ title, svg }: Picture): Html {
  return html`<figure>
    <figcaption>${title}</figcaption>
    <div class="wide">${new Html(svg)}</div>
  </figure> `
}

function short(commit: string): string {
  return commit.replace(/^([0-9a-f]{7})[0-9a-f]+/, '$1')
}
