/** The instances of a group, each a process of its own. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { Course, type CourseResult } from '../consume/course.js'
import { MessageNumbers } from '../consume/message-numbers.js'
import type { ReadCommand, ReadOrder, ReadReport } from './order.js'

type Progress = Extract<ReadReport, { kind: 'progress' }>
type Ended = Extract<ReadReport, { kind: 'ended' }>

export class Group implements AsyncDisposable {
  readonly #children: readonly ChildProcess[]
  readonly #progress: Progress[]
  readonly #ended: Ended[] = []
  readonly #begunAt = performance.now()
  #handleProgress = (): void => undefined
  #failure: Error | undefined

  constructor(order: ReadOrder, instances: number) {
    const none: Progress = { kind: 'progress', held: 0, done: 0, cpuMicros: 0, redisCommands: 0 }
    this.#progress = Array.from({ length: instances }, () => none)
    this.#children = this.#progress.map((_, index) => {
      // What was taken comes back as bytes.
      const child = fork(PROGRAM, [JSON.stringify(order)], { serialization: 'advanced' })
      child.on('message', (report) => this.#handle(index, report as ReadReport))
      child.once('close', (status) => {
        if (status !== 0) this.#failure = new Error(`an instance ended with ${status}`)
      })
      return child
    })
  }

  /** Resolves to the seconds from the start until each has an even share of so many partitions. */
  async held(partitions: number): Promise<number> {
    await this.#until('partitions shared', () =>
      isEven(
        this.#progress.map(({ held }) => held),
        partitions,
      ),
    )
    return (performance.now() - this.#begunAt) / 1_000
  }

  /** Reads so many records, of both logs together. */
  async read(records: number): Promise<CourseResult> {
    const sum = (number: (progress: Progress) => number): number =>
      this.#progress.reduce((total, progress) => total + number(progress), 0)
    const course = new Course(
      records,
      () => sum(({ redisCommands }) => redisCommands),
      () => sum(({ cpuMicros }) => cpuMicros),
    )
    this.#handleProgress = () => course.handleDone(sum(({ done }) => done))
    this.#command('read')
    await this.#until('all read', () => course.over)
    return course.result
  }

  /** What all of them took, and the most memory that one of them had. */
  async end(messages: number): Promise<{ readonly numbers: MessageNumbers; readonly memoryBytesMax: number }> {
    this.#command('end')
    await this.#until('all ended', () => this.#ended.length === this.#children.length)
    const numbers = new MessageNumbers(messages)
    for (const ended of this.#ended) numbers.add(ended)
    return { numbers, memoryBytesMax: Math.max(...this.#ended.map(({ memoryBytesMax }) => memoryBytesMax)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const left = this.#children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    for (const child of left) child.kill('SIGKILL')
    await Promise.all(left.map((child) => once(child, 'close')))
  }

  #handle(index: number, report: ReadReport): void {
    if (report.kind === 'ended') this.#ended.push(report)
    else this.#progress[index] = report
    this.#handleProgress()
  }

  #command(command: ReadCommand): void {
    for (const child of this.#children) child.send(command)
  }

  async #until(what: string, done: () => boolean): Promise<void> {
    const until = performance.now() + MS_MAX
    while (!done()) {
      if (this.#failure !== undefined) throw this.#failure
      if (performance.now() > until) throw new Error(`not within ${MS_MAX / 1_000} s: ${what}`)
      await sleep(LOOK_EVERY_MS)
    }
  }
}

/** Whether all are held, and nobody has two more than another: then nothing more is moved. */
export function isEven(held: readonly number[], partitions: number): boolean {
  const sum = held.reduce((total, count) => total + count, 0)
  return sum === partitions && Math.max(...held) - Math.min(...held) < 2
}

const PROGRAM = new URL('read-process.js', import.meta.url)
const LOOK_EVERY_MS = 20
const MS_MAX = 120_000
