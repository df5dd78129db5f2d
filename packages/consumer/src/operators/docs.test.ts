import { readFileSync } from 'node:fs'

import { allowedText, type OptionsSpec } from '@tandem/common/internal'
import { expect } from 'chai'

import { BATCHED_OPTIONS } from './batched.js'
import { DISTINCT_BY_OPTIONS } from './distinct-by.js'
import { IN_KEY_ORDER_OPTIONS } from './in-key-order.js'

const PAGE = readFileSync(new URL('../../../../docs/operators.md', import.meta.url), 'utf8')

describe('operators.md', () => {
  it('lists the options of each operator, each with what it allows and means', () => {
    for (const [section, spec] of [
      ['inKeyOrder', IN_KEY_ORDER_OPTIONS],
      ['batched', BATCHED_OPTIONS],
      ['distinctBy', DISTINCT_BY_OPTIONS],
    ] as const) {
      expect(told(section), section).to.deep.equal(rows(spec))
    }
  })
})

/** Rows of the section's table of options. */
function told(section: string): string[] {
  const text = PAGE.slice(PAGE.indexOf(`\n## ${section}\n`) + 1).split('\n## ')[0]!
  const table = text.slice(text.indexOf('\n| option')).split('\n\n')[0]!
  return table
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1)
        .join(' | '),
    )
}

function rows(spec: OptionsSpec, path = ''): string[] {
  return Object.entries(spec).flatMap(([name, option]) => {
    if (option.kind === 'object') return rows(option.options, `${path}${name}.`)
    return `\`${path}${name}\` | ${allowedText(option)} | ${option.meaning}`
  })
}
