import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

/** The command whose verdict others rely on, on a small tree of its own with one package and a few tests. */
describe('the test command', function () {
  this.timeout(30_000)

  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'test-command-'))
    cpSync(join(ROOT, 'scripts'), join(root, 'scripts'), { recursive: true })
    cpSync(join(ROOT, '.mocharc.json'), join(root, '.mocharc.json'))
    symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
    mkdirSync(join(root, 'packages/one/src'), { recursive: true })
    mkdirSync(join(root, 'packages/one/dist'))
    mkdirSync(join(root, 'test'))
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  it('sums up and is content when all is well', () => {
    has('a', PASSES)
    has('b', PASSES + PASSES)
    expect(verdict()).to.deep.equal(['3 passed, 0 failed, 0 skipped', 0])
  })

  it('is not content with a failure', () => {
    has('a', PASSES + "it('fails', () => { throw new Error('reason') })\n")
    expect(verdict()).to.deep.equal(['1 passed, 1 failed, 0 skipped', 1])
  })

  it('shares integration out, and counts what each process has', () => {
    mkdirSync(join(root, 'test/integration'))
    mkdirSync(join(root, 'test/dist/integration'), { recursive: true })
    for (const name of ['a', 'b', 'c']) {
      writeFileSync(join(root, `test/integration/${name}.test.ts`), '')
      const code = name === 'b' ? "it('fails', () => { throw new Error('reason') })" : PASSES
      writeFileSync(join(root, `test/dist/integration/${name}.test.js`), code)
    }
    has('a', PASSES)
    expect(verdict({}, ['integration'])).to.deep.equal(['3 passed, 1 failed, 0 skipped', 1])
  })

  it('is not content with a hook that fails', () => {
    has('a', "before(() => { throw new Error('reason') })\n" + PASSES)
    expect(verdict()).to.deep.equal(['0 passed, 1 failed, 0 skipped', 1])
  })

  it('takes a skipped test only where it does not decide', () => {
    has('a', PASSES + "it.skip('skipped', () => {})\n")
    expect(verdict({ CI: 'false' })).to.deep.equal(['1 passed, 0 failed, 1 skipped', 0])
    expect(verdict({ CI: 'true' })).to.deep.equal(['1 passed, 0 failed, 1 skipped', 1])
  })

  it('is not content with a test that keeps the others from running', () => {
    has('a', PASSES + "it.only('alone', () => {})\n")
    const [line, status] = verdict()
    expect(status).to.equal(1)
    expect(line).to.match(/, [1-9]\d* failed, /)
  })

  for (const [what, code] of [
    ['a crash while loading', "import './nowhere.js'\n"],
    ['a crash while running', "it('ends', () => { process.exit(0) })\n"],
    ['no test at all', "describe('nothing', () => {})\n"],
  ] as const) {
    it(`is not content with ${what}`, () => {
      has('a', code)
      expect(verdict()).to.deep.equal(['0 passed, 1 failed, 0 skipped', 1])
    })
  }

  it('is not content with tests that leave something running', () => {
    has('a', PASSES + 'after(() => { setInterval(() => {}, 1000) })\n')
    expect(verdict({ TANDEM_TEST_END_MS: '500' })).to.deep.equal(['1 passed, 1 failed, 0 skipped', 1])
  })

  it('misses a test that was not built, and passes by one whose source is gone', () => {
    has('a', PASSES)
    writeFileSync(join(root, 'packages/one/dist/gone.test.js'), "it('fails', () => { throw new Error('reason') })\n")
    expect(verdict()).to.deep.equal(['1 passed, 0 failed, 0 skipped', 0])
    writeFileSync(join(root, 'packages/one/src/unbuilt.test.ts'), '')
    expect(verdict()).to.deep.equal(['0 passed, 1 failed, 0 skipped', 1])
  })

  it('runs what takes long only when it is told to', () => {
    has('a', PASSES)
    has('b.long', PASSES)
    expect(verdict()).to.deep.equal(['1 passed, 0 failed, 0 skipped', 0])
    expect(verdict({}, ['--all'])).to.deep.equal(['2 passed, 0 failed, 0 skipped', 0])
  })

  it('refuses a step that there is not', () => {
    has('a', PASSES)
    const { status, stderr } = run({}, ['unti'])
    expect(status).to.equal(2)
    expect(stderr).to.include('unti').and.to.include('unit')
  })

  function has(name: string, code: string): void {
    writeFileSync(join(root, `packages/one/src/${name}.test.ts`), code)
    writeFileSync(join(root, `packages/one/dist/${name}.test.js`), code)
  }

  function verdict(environment: Record<string, string> = {}, args: string[] = []): [string | undefined, number | null] {
    const { status, stdout } = run(environment, ['unit', ...args])
    return [stdout.split('\n').at(-2), status]
  }

  function run(
    environment: Record<string, string>,
    args: string[],
  ): { status: number | null; stdout: string; stderr: string } {
    const env = { ...process.env, CI: 'true', ...environment }
    return spawnSync(process.execPath, [join(root, 'scripts/test.mjs'), ...args], { env, encoding: 'utf8' })
  }
})

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PASSES = "it('passes', () => {})\n"
