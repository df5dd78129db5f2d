// The whole quick truth, step by step. The last line on stdout is `N passed, N failed, N skipped`.
//
//   node scripts/test.mjs                 everything but what takes long (*.long.test.ts)
//   node scripts/test.mjs --all           that too
//   node scripts/test.mjs lint unit ...   some steps only, while working
//
// Steps run beside each other, one more than there are processors, and each is printed when it is over. Those that need all of
// the machine come one by one after that: seeds, which use every processor, and integration, where time matters most. The
// files of some are shared out among processes: of integration, which mostly waits for outages to be noticed and to end, each
// has clusters of its own.
//
// Exit status 0 only if nothing failed and, with CI=true, nothing was skipped. A step that crashes, does not end or
// runs no test at all has failed.
import { fork, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** A step that takes longer has lost its way: the whole is to take 10 minutes, or 60 with what takes long. */
const STEP_MS_MAX = (process.argv.includes('--all') ? 30 : 15) * 60_000
/** After its last test a process has this long to end by itself. */
const END_MS_MAX = Number(process.env.TANDEM_TEST_END_MS ?? 15_000)

/** Order of the folders under test/, from quick to slow; others follow. */
const FOLDERS = ['small-cases', 'simulation', 'scenarios', 'conformance', 'integration']

/** They begin before the others, so that none of them is waited for in the end. */
const LONG = ['unit', 'small-cases', 'conformance']
const ALONE = ['simulation', 'integration']
const SHARED_OUT = ['small-cases', 'integration']

const chosen = process.argv.slice(2).filter((argument) => argument !== '--all')
const all = process.argv.includes('--all')

const steps = [
  { name: 'lint', run: (print) => command(bin('eslint', 'bin/eslint.js'), ['.'], print) },
  {
    name: 'format',
    run: (print) => command(bin('prettier', 'bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.'], print),
  },
  { name: 'unit', run: (print) => mocha(unitTests(), print) },
  ...testFolders().map(({ name, files }) => ({
    name,
    run: (print) => (SHARED_OUT.includes(name) ? besideEachOther(files, print) : mocha(files, print)),
  })),
]

const names = steps.map(({ name }) => name)
const unknown = chosen.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`no step is called ${unknown.join(' or ')}; there are ${names.join(', ')}`)
  process.exit(2)
}

const wanted = steps.filter(({ name }) => chosen.length === 0 || chosen.includes(name))
const waiting = wanted.filter(({ name }) => !ALONE.includes(name))
waiting.sort((one, other) => LONG.includes(other.name) - LONG.includes(one.name))
// One more than there are processors: much of unit and conformance is waiting.
const lanes = waiting.length > 1 ? availableParallelism() + 1 : 1
const total = { passed: 0, failed: 0, skipped: 0 }
const told = new Map()
/** What the tests that failed are called and say, to be told once more in the end. */
const failed = []
await Promise.all(
  Array.from({ length: lanes }, async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) await play(step, lanes > 1)
  }),
)
for (const step of wanted) if (ALONE.includes(step.name)) await play(step, false)
for (const failure of failed) console.log(`\nfailed: ${failure}`)
console.log(`\n${wanted.map(({ name }) => told.get(name)).join('\n')}`)
console.log(text(total))
process.exitCode = total.failed > 0 || (total.skipped > 0 && process.env.CI === 'true') ? 1 : 0

/** @param beside others run at the same time, so that what it prints is kept until it is over. */
async function play({ name, run }, beside) {
  const kept = []
  const print = beside ? (chunk) => kept.push(chunk) : (chunk) => process.stdout.write(chunk)
  print(`\n== ${name}\n`)
  const startedAt = performance.now()
  const counts = await run(print)
  told.set(name, `${name}: ${text(counts)} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  print(`== ${told.get(name)}\n`)
  for (const chunk of kept) process.stdout.write(chunk)
  add(total, counts)
}

function add(sum, counts) {
  for (const count of Object.keys(sum)) sum[count] += counts[count]
}

function text({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** A command that is good or not: one case. */
async function command(file, args, print) {
  const child = spawn(process.execPath, [file, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = await ended(child, print)
  return exit === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 }
}

/** The tests of some files, in as many processes as there are processors; each is printed when it is over. */
async function besideEachOther(files, print) {
  const length = Math.min(availableParallelism(), files.length)
  const processes = Array.from({ length }, async (_, index) => {
    const kept = []
    const from = (part) => Math.ceil((files.length / length) * part)
    const counts = await mocha(files.slice(from(index), from(index + 1)), (chunk) => kept.push(chunk))
    for (const chunk of kept) print(chunk)
    return counts
  })
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const counts of await Promise.all(processes)) add(sum, counts)
  return sum
}

/** The tests of some files, in a process of their own. */
async function mocha(files, print) {
  const child = fork(join(ROOT, 'scripts', 'run-mocha.mjs'), files, {
    cwd: ROOT,
    silent: true,
    // Each Kafka client of a test occupies threads of the pool while it waits.
    env: { UV_THREADPOOL_SIZE: '16', ...process.env },
  })
  let counts
  let timer
  child.once('message', ({ failures, ...rest }) => {
    counts = rest
    failed.push(...failures)
    timer = setTimeout(() => {
      print(`the tests are over, but something that they left keeps their process alive after ${END_MS_MAX} ms\n`)
      child.kill('SIGKILL')
    }, END_MS_MAX)
  })
  const exit = await ended(child, print)
  clearTimeout(timer)
  if (counts === undefined) {
    print(`the tests did not come to their end: ${exit}\n`)
    return { passed: 0, failed: 1, skipped: 0 }
  }
  if (exit !== 0) counts.failed += 1
  if (counts.passed + counts.failed === 0) {
    print('no test was run\n')
    counts.failed = 1
  }
  return counts
}

function ended(child, print) {
  for (const stream of [child.stdout, child.stderr]) stream.on('data', print)
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      print(`given up after ${STEP_MS_MAX} ms\n`)
      child.kill('SIGKILL')
    }, STEP_MS_MAX)
    child.once('error', (error) => print(`${error.message}\n`))
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
