// The whole quick truth, step by step. The last line on stdout is `N passed, N failed, N skipped`.
//
//   node scripts/test.mjs                 everything but what takes long (*.long.test.ts)
//   node scripts/test.mjs --all           that too
//   node scripts/test.mjs lint unit ...   some steps only, while working
//
// Exit status 0 only if nothing failed and, with CI=true, nothing was skipped. A step that crashes, does not end or
// runs no test at all has failed.
import { fork, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A step that takes longer has lost its way: the whole is to take 10 minutes, or 60 with what takes long. */
const STEP_MS_MAX = (process.argv.includes('--all') ? 30 : 15) * 60_000
/** After its last test a process has this long to end by itself. */
const END_MS_MAX = Number(process.env.TANDEM_TEST_END_MS ?? 15_000)

/** Order of the folders under test/, from quick to slow; others follow. */
const FOLDERS = ['small-cases', 'simulation', 'scenarios', 'conformance', 'integration']

const chosen = process.argv.slice(2).filter((argument) => argument !== '--all')
const all = process.argv.includes('--all')

const steps = [
  { name: 'lint', run: () => command(bin('eslint', 'bin/eslint.js'), ['.']) },
  { name: 'format', run: () => command(bin('prettier', 'bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.']) },
  { name: 'unit', run: () => mocha(unitTests()) },
  ...testFolders().map(({ name, files }) => ({ name, run: () => mocha(files) })),
]

const names = steps.map(({ name }) => name)
const unknown = chosen.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`no step is called ${unknown.join(' or ')}; there are ${names.join(', ')}`)
  process.exit(2)
}

const total = { passed: 0, failed: 0, skipped: 0 }
const told = []
for (const { name, run } of steps.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  console.log(`\n== ${name}`)
  const startedAt = performance.now()
  const counts = await run()
  told.push(`${name}: ${text(counts)} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  console.log(`== ${told.at(-1)}`)
  for (const count of Object.keys(total)) total[count] += counts[count]
}
console.log(`\n${told.join('\n')}`)
console.log(text(total))
process.exitCode = total.failed > 0 || (total.skipped > 0 && process.env.CI === 'true') ? 1 : 0

function text({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** A command that is good or not: one case. */
async function command(file, args) {
  const exit = await ended(
    spawn(process.execPath, [file, ...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] }),
  )
  return exit === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

/** The tests of some files, in a process of their own. */
async function mocha(files) {
  const child = fork(join(ROOT, 'scripts', 'run-mocha.mjs'), files, {
    cwd: ROOT,
    // Each Kafka client of a test occupies threads of the pool while it waits.
    env: { UV_THREADPOOL_SIZE: '16', ...process.env },
  })
  let counts
  let timer
  child.once('message', (message) => {
    counts = message
    timer = setTimeout(() => {
      console.error(`the tests are over, but something that they left keeps their process alive after ${END_MS_MAX} ms`)
      child.kill('SIGKILL')
    }, END_MS_MAX)
  })
  const exit = await ended(child)
  clearTimeout(timer)
  if (counts === undefined) {
    console.error(`the tests did not come to their end: ${exit}`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  if (exit !== 0) counts.failed += 1
  if (counts.passed + counts.failed === 0) {
    console.error('no test was run')
    counts.failed = 1
  }
  return counts
}

function ended(child) {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      console.error(`given up after ${STEP_MS_MAX} ms`)
      child.kill('SIGKILL')
    }, STEP_MS_MAX)
    child.once('error', (error) => console.error(error.message))
    child.once('close', (status, signal) => {
      clearTimeout(timer)
      resolve(signal ?? status)
    })
  })
}

function bin(name, path) {
  return join(ROOT, 'node_modules', name, path)
}

function unitTests() {
  const ofPackages = readdirSync(join(ROOT, 'packages')).flatMap((name) => {
    const folder = join(ROOT, 'packages', name)
    return builtTests(join(folder, 'src'), join(folder, 'src'), join(folder, 'dist'))
  })
  const bench = join(ROOT, 'bench')
  return [...ofPackages, ...builtTests(bench, bench, join(bench, 'dist'))]
}

function testFolders() {
  const root = join(ROOT, 'test')
  const found = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !['dist', 'node_modules'].includes(entry.name))
    .map(({ name }) => name)
  const ordered = [
    ...FOLDERS.filter((name) => found.includes(name)),
    ...found.filter((name) => !FOLDERS.includes(name)),
  ]
  const top = readdirSync(root).filter((name) => isTest(name))
  return [
    { name: 'rules', files: top.map((name) => built(join(root, name), root, join(root, 'dist'))) },
    ...ordered.map((name) => ({ name, files: builtTests(join(root, name), root, join(root, 'dist')) })),
  ].filter(({ files }) => files.length > 0)
}

/** Found by their sources, so that what was built of a deleted one is not run, and one that was not built is missed. */
function builtTests(folder, sourceRoot, buildRoot) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true })
    .filter((name) => isTest(basename(name)))
    .sort()
    .map((name) => built(join(folder, name), sourceRoot, buildRoot))
}

function built(source, sourceRoot, buildRoot) {
  return join(buildRoot, relative(sourceRoot, source)).replace(/\.ts$/, '.js')
}

function isTest(name) {
  return name.endsWith('.test.ts') && (all || !name.endsWith('.long.test.ts'))
}
