import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { ESLint } from 'eslint'

/** The rules of `eslint.config.mjs` that hold the architecture, each held to a snippet that breaks it. */
describe('lint', function () {
  this.timeout(60_000)

  const CORE = 'packages/producer/src/core/circuit.ts'
  const CORE_OF_CONSUMER = 'packages/consumer/src/core/arbiter.ts'
  const COMMON = 'packages/common/src/intervals.ts'
  const OPERATOR = 'packages/consumer/src/operators/in-key-order.ts'
  const WIRING = 'packages/producer/src/producer.ts'

  for (const { file, what, code } of [
    { file: CORE, what: 'a clock', code: 'export const now = Date.now()' },
    { file: CORE, what: 'a clock', code: 'export const now = new Date()' },
    { file: CORE, what: 'a clock', code: 'export const now = performance.now()' },
    { file: CORE, what: 'a clock', code: 'export const now = globalThis.performance.now()' },
    { file: CORE, what: 'a clock', code: "import { systemClock } from '@tandem/common/internal'\nsystemClock.now()" },
    { file: CORE, what: 'a clock', code: "import * as all from '@tandem/common/internal'\nall.systemClock.now()" },
    { file: CORE, what: 'a timer', code: 'setTimeout(() => {}, 1)' },
    { file: CORE, what: 'a timer', code: 'setInterval(() => {}, 1)' },
    { file: CORE, what: 'a timer', code: 'setImmediate(() => {})' },
    { file: CORE, what: 'a timer', code: 'queueMicrotask(() => {})' },
    { file: CORE, what: 'a timer', code: "import { setTimeout } from 'node:timers/promises'\nvoid setTimeout(1)" },
    { file: CORE, what: 'random numbers', code: 'export const random = Math.random()' },
    { file: CORE, what: 'random numbers', code: 'export const random = crypto.randomUUID()' },
    { file: CORE, what: 'random numbers', code: "import { randomInt } from 'crypto'\nrandomInt(1)" },
    { file: CORE, what: 'the process', code: 'export const { pid } = process' },
    { file: CORE, what: 'a logger', code: "console.log('text')" },
    { file: CORE, what: 'a promise', code: 'export const promise = Promise.resolve()' },
    { file: CORE, what: 'a promise', code: 'export async function load() {}' },
    { file: CORE, what: 'a promise', code: 'export const load = async () => {}' },
    { file: CORE, what: 'a file', code: "import { readFileSync } from 'node:fs'\nreadFileSync('file')" },
    { file: CORE, what: 'a file', code: "export const fs = import('node:fs')" },
    { file: CORE, what: 'an emitter', code: "import { EventEmitter } from 'node:events'\nnew EventEmitter()" },
    { file: CORE, what: 'Kafka', code: "import rdkafka from 'node-rdkafka'\nvoid rdkafka" },
    { file: CORE, what: 'Redis', code: "import { Redis } from 'ioredis'\nnew Redis()" },
    { file: CORE, what: 'an outside', code: "import { refusals } from '../kafka/refusals.js'\nvoid refusals" },
    { file: CORE_OF_CONSUMER, what: 'a clock', code: 'export const now = Date.now()' },
    { file: CORE_OF_CONSUMER, what: 'Redis', code: "import { Redis } from 'ioredis'\nnew Redis()" },
    { file: COMMON, what: 'a clock', code: 'export const now = performance.now()' },
    { file: COMMON, what: 'a timer', code: 'setTimeout(() => {}, 1)' },
    { file: COMMON, what: 'random numbers', code: 'export const random = Math.random()' },
    { file: COMMON, what: 'a file', code: "import { readFileSync } from 'node:fs'\nreadFileSync('file')" },
    { file: COMMON, what: 'the producer', code: "import { Producer } from '@tandem/producer'\nvoid Producer" },
    { file: WIRING, what: 'a clock', code: 'export const now = Date.now()' },
    { file: OPERATOR, what: 'a clock', code: 'export const now = Date.now()' },
    { file: OPERATOR, what: 'a timer', code: 'setTimeout(() => {}, 1)' },
    { file: WIRING, what: 'a timer', code: 'setTimeout(() => {}, 1)' },
    { file: WIRING, what: 'random numbers', code: 'export const random = Math.random()' },
    { file: WIRING, what: 'the consumer', code: "import { Consumer } from '@tandem/consumer'\nvoid Consumer" },
    {
      file: WIRING,
      what: 'the consumer',
      code: "import { Consumer } from '../../consumer/src/consumer.js'\nvoid Consumer",
    },
    { file: WIRING, what: 'a foreign src', code: "import { Agenda } from '@tandem/common/src/agenda.js'\nvoid Agenda" },
    {
      file: 'packages/consumer/src/consumer.ts',
      what: 'the producer',
      code: "import { Producer } from '@tandem/producer/internal'\nvoid Producer",
    },
    {
      file: 'test/lint.test.ts',
      what: 'a foreign src',
      code: "import { Agenda } from '@tandem/common/src/agenda.js'\nvoid Agenda",
    },
  ]) {
    it(`refuses ${what} in ${file}: ${code.split('\n')[0]}`, async () => {
      expect(await rulesBroken(file, code)).to.not.deep.equal([])
    })
  }

  it('refuses a promise that nobody awaits, a case that is not there, a thrown text', async () => {
    const code = [
      'async function later(): Promise<void> {}',
      'export function now(kind: "a" | "b"): void {',
      '  later()',
      '  switch (kind) {',
      '    case "a":',
      '      throw "text"',
      '  }',
      '}',
    ].join('\n')
    expect((await allRulesBroken(WIRING, code)).sort()).to.deep.equal([
      '@typescript-eslint/no-floating-promises',
      '@typescript-eslint/switch-exhaustiveness-check',
      'no-restricted-syntax',
    ])
  })

  it('refuses files that import each other', async () => {
    // lane.ts imports track.ts, which now imports it back.
    const code = "import { Lane } from './lane.js'\nvoid Lane"
    expect(await rulesBroken('packages/producer/src/core/track.ts', code)).to.deep.equal(['import-x/no-cycle'])
  })

  it('has nothing against a core as it should be, nor against types from elsewhere', async () => {
    const code = [
      "import { Intervals } from '@tandem/common/internal'",
      "import type { Producer } from 'node-rdkafka'",
      "import { Trip } from './trip.js'",
      'export const fine: { trip?: Trip; producer?: Producer; intervals: Intervals } = { intervals: new Intervals() }',
    ].join('\n')
    expect(await rulesBroken(CORE, code)).to.deep.equal([])
  })

  it('lets clock.ts read a clock', async () => {
    expect(await rulesBroken('packages/common/src/clock.ts', 'export const now = performance.now()')).to.deep.equal([])
  })
})

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const eslint = new ESLint({ cwd: ROOT })

/** Those of the rules that are about the architecture: a snippet may have other faults, and shall not pass by them. */
async function rulesBroken(file: string, code: string): Promise<string[]> {
  return (await allRulesBroken(file, code)).filter((rule) => /restricted|^import-x/.test(rule))
}

async function allRulesBroken(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(`${code}\n`, { filePath: join(ROOT, file) })
  const messages = result?.messages ?? []
  expect(messages.filter(({ fatal }) => fatal)).to.deep.equal([])
  return messages.map(({ ruleId, message }) => ruleId ?? message)
}
