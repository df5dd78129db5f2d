import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'

/** A program of this folder in a process of its own, to be killed at any instant; it ends with the test process. */
export class Program {
  readonly #child: ChildProcess
  readonly #exit: Promise<number | null>
  #stdout = ''

  constructor(name: 'booker' | 'publisher' | 'subscriber', options: object) {
    const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url))
    this.#child = spawn(process.execPath, [file, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, UV_THREADPOOL_SIZE: '16' },
    })
    this.#child.stdout!.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString()))
    const endChild = (): void => void this.#child.kill('SIGKILL')
    process.once('exit', endChild)
    this.#exit = new Promise((resolve) => this.#child.once('exit', resolve))
    void this.#exit.then(() => process.off('exit', endChild))
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  /** Stands still until it is resumed. */
  hang(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  async end(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exit
  }

  /** Its last line, parsed, when it has ended by itself. */
  async report<T>(): Promise<T> {
    const code = await this.#exit
    if (code !== 0) throw new Error(`the program ended with ${code}`)
    return JSON.parse(this.#stdout.trim().split('\n').at(-1)!) as T
  }
}

/** Lines of a file, 0 as long as it does not exist. */
export function linesOf(path: string): number {
  try {
    return readFileSync(path, 'utf8').split('\n').length - 1
  } catch {
    return 0
  }
}

/** Until it is true; an error that says for what, if that takes too long. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await sleep(50)
  }
}
