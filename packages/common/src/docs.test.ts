import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

import { expect } from 'chai'

import { ERRORS, RefusedError, FailedError, UsageError, FencedError } from './errors.js'
import { EVENTS, type EventKind } from './events.js'
import { METRICS } from './metrics.js'
import { metricName } from './telemetry.js'

/** Holds README and docs/ to the tree: what they list, link to or quote is there, and what must be listed is. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
/** Parts that are built, or begun. */
const PART = 5
const PAGES = ['README.md', 'examples/exactly-once/README.md', ...filesBelow('docs')].filter((page) =>
  page.endsWith('.md'),
)

describe('documentation', () => {
  it('lists in errors.md exactly the codes there are, each with its family and whether it may be tried again', () => {
    const told = tableRows('docs/errors.md').map(([code, family, retriable]) => [code, family, retriable])
    const real = ERRORS.map((error) => [error.code, familyOf(error.prototype), error.retriable ? 'yes' : 'no'])
    expect(told.map((row) => row.join(' ')).sort()).to.deep.equal(real.map((row) => row.join(' ')).sort())
  })

  it('lists in events.md exactly the events there are, each with its level, metric, labels and meaning', () => {
    const real = (Object.keys(EVENTS) as EventKind[]).map((kind) => {
      const { level, labels, meaning } = EVENTS[kind]
      return [kind, level, metricName(kind), labels.join(', '), meaning].join(' | ')
    })
    expect(tableRows('docs/events.md').map((row) => row.join(' | '))).to.deep.equal(real)
  })

  it('lists in metrics.md exactly the metrics that count no event, each with what it means when it rises', () => {
    const real = Object.entries(METRICS).map(([name, { kind, unit, attributes, meaning, rises }]) =>
      [name, kind, unit, attributes.join(', '), meaning, rises].join(' | '),
    )
    expect(tableRows('docs/metrics.md').map((row) => row.join(' | '))).to.deep.equal(real)
  })

  it('maps in design.md every source file, and no other', () => {
    const packages = readdirSync(join(ROOT, 'packages')).filter((name) =>
      existsSync(join(ROOT, 'packages', name, 'src')),
    )
    const real = packages.flatMap((name) => filesBelow(`packages/${name}/src`)).filter(isSource)
    expect(mappedFiles().sort()).to.deep.equal(real.sort())
  })

  it('has in its tables of scenarios the rows that are played, and with its part each one that is not yet', () => {
    const told = ['docs/protocol.md', 'docs/position.md'].flatMap(tableRows).map((row) => [row[0]!, Number(row.at(-1))])
    const names = [...read('test/scenarios/rows.ts').matchAll(/^ +'([\w-]+)',$/gm)].map(([, name]) => name!)
    const pending = [...read('test/scenarios/scenarios.ts').matchAll(/name: '([\w-]+)',\s+part: (\d)/g)]
    const partOf = new Map(pending.map(([, name, part]) => [name!, Number(part)]))
    expect(told.map(([name]) => name)).to.deep.equal(names)
    for (const [name, part] of told) {
      const pending = partOf.get(name as string)
      if (pending === undefined) expect(part, `${name} is played`).to.be.at.most(PART)
      else expect(part, `${name} is pending`).to.equal(pending)
    }
  })

  it('names in its tables of scenarios the mutants of the simulator that each row stands against', () => {
    const told = ['docs/protocol.md', 'docs/position.md'].flatMap(tableRows).map((row) => [row[0]!, row.at(-2)!])
    const mutants = [
      ...read('test/simulation/mutants/mutants.ts').matchAll(/name: '([\w-]+)',\s+scenario: '([\w-]+)'/g),
    ]
    const ofRow = (row: string): string => {
      const names = mutants.filter(([, , scenario]) => scenario === row).map(([, name]) => name!)
      return names.length === 0 ? '–' : names.join(', ')
    }
    expect(told).to.deep.equal(told.map(([row]) => [row, ofRow(row!)]))
    expect(mutants.every(([, , scenario]) => told.some(([row]) => row === scenario))).to.equal(true)
  })

  for (const [page, examples] of [
    ['README.md', ['producer', 'consumer']],
    ['docs/operators.md', ['in-key-order', 'batched']],
  ] as const) {
    it(`quotes the examples as they are: ${page}`, () => {
      const blocks = [...read(page).matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code)
      expect(blocks).to.deep.equal(examples.map((name) => read(`examples/${name}.ts`)))
    })
  }

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const page of PAGES) {
      for (const [, name] of read(page).matchAll(/npm run ([a-z][a-z:-]*)/g)) {
        expect(scripts, `${page}: npm run ${name}`).to.have.property(name!)
      }
    }
  })

  for (const page of PAGES) {
    it(`leads nowhere in vain: ${page}`, () => {
      const broken = [...linksOf(page), ...pathsOf(page)].filter((target) => !isThere(page, target))
      expect(broken).to.deep.equal([])
    })
  }
})

/** Rows of all tables of a page whose first column is one code word; cells without their code quotes. */
function tableRows(page: string): string[][] {
  return read(page)
    .split('\n')
    .filter((line) => /^\| *`/.test(line))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')),
    )
}

function familyOf(prototype: object): string {
  for (const family of [UsageError, RefusedError, FailedError, FencedError]) {
    if (prototype instanceof family) return family.name
  }
  return 'InvariantError'
}

/** Below a heading that names a folder, each item of a list names a file of it. */
function mappedFiles(): string[] {
  const files: string[] = []
  let folder: string | undefined
  for (const line of read('docs/design.md').split('\n')) {
    const heading = /^#+ (?:`(packages\/[^`]+)`)?/.exec(line)
    if (heading !== null) folder = heading[1]
    const item = /^- `([^`]+)`/.exec(line)
    if (item !== null && folder !== undefined) files.push(`${folder}/${item[1]}`)
  }
  return files
}

function linksOf(page: string): string[] {
  const text = withoutCode(read(page))
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
  const defined = [...text.matchAll(/^\[([^\]]+)\]: (\S+)$/gm)]
  const names = new Set(defined.map(([, name]) => name!))
  // A link by name that nobody defined is shown as plain text.
  const used = [...text.matchAll(/\[([^\]]+)\]\[([^\]]*)\]/g)].map(([, shown, name]) => name || shown!)
  const undefinedNames = used.filter((name) => !names.has(name)).map((name) => `[${name}]`)
  return [...inline, ...defined.map(([, , target]) => target!), ...undefinedNames].filter(
    (target) => !/^[a-z]+:/.test(target),
  )
}

/** What stands in code quotes and looks like a file of this repository: from its root, or from the map's folder. */
function pathsOf(page: string): string[] {
  const quoted = [...withoutBlocks(read(page)).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!)
  return quoted
    .filter((text) => /^(\.?[\w@-]+\/)+[\w.@-]*$/.test(text) && existsSync(join(ROOT, text.split('/')[0]!)))
    .map((text) => `/${text}`)
}

/** A target is relative to its page, or to the root if it begins with a slash; behind `#` stands a heading. */
function isThere(page: string, target: string): boolean {
  const [path, anchor] = target.split('#') as [string, string | undefined]
  const file = path === '' ? page : path.startsWith('/') ? path.slice(1) : join(dirname(page), path)
  if (!existsSync(join(ROOT, file))) return false
  return anchor === undefined || anchorsOf(file).includes(anchor)
}

function anchorsOf(page: string): string[] {
  return [...withoutBlocks(read(page)).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

function withoutBlocks(text: string): string {
  return text.replace(/^```[^]*?^```$/gm, '')
}

function withoutCode(text: string): string {
  return withoutBlocks(text).replace(/`[^`\n]*`/g, '')
}

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) =>
      relative(ROOT, join(ROOT, folder, name))
        .split(sep)
        .join('/'),
    )
    .filter((file) => statSync(join(ROOT, file)).isFile())
}

function isSource(file: string): boolean {
  return file.endsWith('.ts') && !file.endsWith('.test.ts')
}
