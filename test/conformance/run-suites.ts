import { fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

/**
 * Runs every suite of this folder in a process of its own, which tells each case on standard output.
 *
 * What keeps that process alive after its last case, or ends it before, counts as one more case that failed.
 */
export async function runSuites(): Promise<Counts> {
  const folder = fileURLToPath(new URL('.', import.meta.url))
  const files = readdirSync(folder).filter((name) => name.endsWith('.test.js') && name !== 'command.test.js')
  const child = fork(
    fileURLToPath(new URL('../../../scripts/run-mocha.mjs', import.meta.url)),
    files.sort().map((name) => `${folder}${name}`),
    // Each Kafka client occupies threads of the pool while it waits.
    { env: { UV_THREADPOOL_SIZE: '16', ...process.env } },
  )
  let counts: Counts | undefined
  let timer: NodeJS.Timeout | undefined
  child.once('message', (message) => {
    counts = message as Counts
    timer = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX)
  })
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 }
  return { passed, failed: failed + (counts !== undefined && status === 0 ? 0 : 1), skipped }
}

/** As in scripts/test.mjs. */
const END_MS_MAX = 15_000
