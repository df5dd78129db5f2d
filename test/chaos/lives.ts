/**
 * The processes of one producerId, and of one group, as a supervisor sees them: one life after the other, each killed,
 * stopped or ended from outside.
 */
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Service } from '@tandem/testing/internal'

import type { Evidence, PublisherLife, SubscriberLife } from './evidence.js'
import type { PublisherOptions } from './publisher.js'
import type { Tell } from './servers.js'
import type { SubscriberOptions } from './subscriber.js'

/** Where lives leave their files, and who is told of what. */
export interface Surroundings {
  readonly folder: string
  readonly evidence: Evidence
  readonly tell: Tell
}

export class Producers {
  readonly producerId: string
  readonly #options: Omit<PublisherOptions, 'first' | 'path'>
  readonly #surroundings: Surroundings
  /** Number of the next life's first message. */
  #first: number
  #current: { readonly life: PublisherLife; readonly program: Program } | undefined
  #lives = 0
  #residentBytesMax = 0

  /** @param first number of the first message; the others follow it, life after life. */
  constructor(options: Omit<PublisherOptions, 'first' | 'path'>, first: number, surroundings: Surroundings) {
    this.producerId = options.producerId
    this.#options = options
    this.#first = first
    this.#surroundings = surroundings
  }

  /** Other processes under the same producerId, beside these. */
  twin(): Producers {
    const twin = new Producers(this.#options, this.#first + TWIN_FIRST, this.#surroundings)
    twin.#lives = TWIN_LIVES
    return twin
  }

  /** How many messages its process has sent. */
  get sentCount(): number {
    return this.#surroundings.evidence.countSent(this.#alive().life)
  }

  /** The most memory that one of its processes took, as far as they were asked. */
  get residentBytesMax(): number {
    return this.#residentBytesMax
  }

  async start(): Promise<void> {
    const { folder, evidence } = this.#surroundings
    const { producerId } = this
    this.#lives++
    const name = `${producerId}-${this.#lives}`
    const life: PublisherLife = { producerId, life: this.#lives, path: join(folder, name), killed: false }
    evidence.addPublisher(life)
    const program = await Program.start('publisher', name, { ...this.#options, first: this.#first, path: life.path })
    this.#current = { life, program }
  }

  /** SIGKILL, and a new life under the same producerId. */
  async kill(): Promise<void> {
    const { life, program } = this.#alive()
    this.#surroundings.tell(`producer ${this.producerId} is killed`, 'producer-kill')
    this.#weigh(program)
    life.killed = true
    await program.kill()
    this.#first += this.#surroundings.evidence.countSent(life)
    this.#current = undefined
    await this.start()
  }

  /** SIGSTOP. */
  async stop(): Promise<void> {
    this.#surroundings.tell(`producer ${this.producerId} stands still`, 'producer-stop')
    await this.#alive().program.stop()
  }

  async continue(): Promise<void> {
    await this.#alive().program.continue()
    this.#surroundings.tell(`producer ${this.producerId} goes on`)
  }

  async heal(): Promise<void> {
    if (this.#alive().program.stopped) await this.continue()
  }

  /** Sends no more, and waits for all answers, but no longer than `timeoutMs`. */
  async finish(timeoutMs: number): Promise<void> {
    const { program } = this.#alive()
    this.#weigh(program)
    await program.end(timeoutMs)
  }

  get finished(): boolean {
    return this.#current !== undefined && this.#surroundings.evidence.isClosed(this.#current.life)
  }

  /** @throws Error if its process has ended by itself: a failure that no restart may hide. */
  expectAlive(): Promise<void> {
    return this.#alive().program.expectAlive()
  }

  /** Leaves nothing but what was written down. */
  async remove(): Promise<void> {
    await this.#current?.program.remove()
  }

  #weigh(program: Program): void {
    this.#residentBytesMax = Math.max(this.#residentBytesMax, program.residentBytesMax)
  }

  #alive(): { readonly life: PublisherLife; readonly program: Program } {
    if (this.#current === undefined) throw new Error(`${this.producerId} has no process`)
    return this.#current
  }
}

export class Consumers {
  readonly groupId: string
  /** What its lives are called by. */
  readonly name: string
  readonly #options: Omit<SubscriberOptions, 'path'>
  readonly #surroundings: Surroundings
  #current: { readonly life: SubscriberLife; readonly program: Program } | undefined
  #stoppedAtMs: number | undefined
  #lives = 0

  constructor(options: Omit<SubscriberOptions, 'path'>, surroundings: Surroundings, name = options.groupId) {
    this.groupId = options.groupId
    this.name = name
    this.#options = options
    this.#surroundings = surroundings
  }

  async start(): Promise<void> {
    const { folder, evidence } = this.#surroundings
    const { groupId } = this
    this.#lives++
    const name = `${this.name}-${this.#lives}`
    const path = join(folder, name)
    const startedAtMs = Date.now()
    const life = { groupId, name, path, startedAtMs, killedAtMs: undefined, closedAtMs: undefined, stops: [] }
    evidence.addSubscriber(life)
    // What hangs in one life does not in the next.
    const options = { ...this.#options, path, ...(this.#lives > 1 && { stuckAt: undefined }) }
    this.#current = { life, program: await Program.start('subscriber', name, options) }
  }

  /** Of the process that runs now. */
  get lifeName(): string {
    return this.#alive().life.name
  }

  tell: Tell = (...told) => this.#surroundings.tell(...told)

  /** SIGKILL, and a new life in the same group. */
  async kill(): Promise<void> {
    const { life, program } = this.#alive()
    this.#surroundings.tell(`consumer ${this.name} is killed`, 'consumer-kill')
    await program.kill()
    life.killedAtMs = Date.now()
    this.#current = undefined
    await this.start()
  }

  /** SIGSTOP. */
  async stop(): Promise<void> {
    this.#surroundings.tell(`consumer ${this.name} stands still`, 'consumer-stop')
    this.#stoppedAtMs = Date.now()
    await this.#alive().program.stop()
  }

  async continue(): Promise<void> {
    const { life, program } = this.#alive()
    await program.continue()
    if (this.#stoppedAtMs !== undefined) life.stops.push({ fromMs: this.#stoppedAtMs, toMs: Date.now() })
    this.#stoppedAtMs = undefined
    this.#surroundings.tell(`consumer ${this.name} goes on`)
  }

  async heal(): Promise<void> {
    if (this.#alive().program.stopped) await this.continue()
  }

  /** Closes, storing its position. */
  async finish(timeoutMs: number): Promise<void> {
    await this.#alive().program.end(timeoutMs)
  }

  /** The same, while others of its group go on. */
  async leave(timeoutMs: number): Promise<void> {
    this.tell(`consumer ${this.name} leaves`, 'instance-removed')
    const { life } = this.#alive()
    await this.finish(timeoutMs)
    life.closedAtMs = Date.now()
  }

  /** @throws Error if its process has ended by itself: a failure that no restart may hide. */
  expectAlive(): Promise<void> {
    return this.#alive().program.expectAlive()
  }

  /** Leaves nothing but what was written down. */
  async remove(): Promise<void> {
    await this.#current?.program.remove()
  }

  #alive(): { readonly life: SubscriberLife; readonly program: Program } {
    if (this.#current === undefined) throw new Error(`${this.name} has no process`)
    return this.#current
  }
}

/** A process that runs one of the programs beside this file, and cannot outlive this one. */
export class Program {
  /** @param flags for Node itself. */
  static async start(
    file: 'publisher' | 'subscriber' | 'flood' | 'reader' | 'relay',
    name: string,
    options: object,
    flags: readonly string[] = [],
  ): Promise<Program> {
    const service = await Service.create({ what: `the ${file} ${name}`, prefix: file })
    const path = fileURLToPath(new URL(`./${file}.js`, import.meta.url))
    const pid = await service.start(
      { command: process.execPath, arguments: [...flags, path, JSON.stringify(options)], talks: true },
      (_over, child) => child.firstMessage.then(() => child.pid),
      START_TIMEOUT_MS,
    )
    return new Program(name, service, pid)
  }

  readonly #name: string
  readonly #service: Service
  readonly #pid: number

  private constructor(name: string, service: Service, pid: number) {
    this.#name = name
    this.#service = service
    this.#pid = pid
  }

  /** The most memory that it ever took, by the kernel's own mark (so no moment is missed); 0 if it is gone. */
  get residentBytesMax(): number {
    try {
      const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8'))
      return Number(kilobytes?.[1] ?? 0) * 1_024
    } catch {
      return 0
    }
  }

  get stopped(): boolean {
    return this.#service.state === 'hung'
  }

  async kill(): Promise<void> {
    await this.expectAlive()
    await this.#service.stop()
  }

  async stop(): Promise<void> {
    await this.expectAlive()
    await this.#service.hang()
  }

  async continue(): Promise<void> {
    await this.#service.resume()
  }

  async end(timeoutMs: number): Promise<void> {
    await this.expectAlive()
    await this.#service.end(timeoutMs)
  }

  async remove(): Promise<void> {
    await this.#service.stop()
  }

  async expectAlive(): Promise<void> {
    if (this.#service.state !== 'killed') return
    const said = await readFile(this.#service.logFile, 'utf8')
    throw new Error(`${this.#name} ended by itself; the end of what it said:\n${said.slice(-SAID_MAX)}`)
  }
}

/** Far above what the lives of a producer send in a scenario, and far below what the other producer begins with. */
const TWIN_FIRST = 2 ** 25
const TWIN_LIVES = 1_000_000
const START_TIMEOUT_MS = 30_000
const SAID_MAX = 4_000
