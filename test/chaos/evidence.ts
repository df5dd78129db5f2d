/**
 * What the processes of a run wrote down, put together as the history that the checkers read.
 *
 * A process is killed at any instant, so its file ends anywhere; who killed or stopped it when is the supervisor's
 * knowledge and stands beside the file.
 */
import { Acknowledgements, Books, decodeTransfer } from '@tandem/cli/internal'
import { keyRangeOf } from '@tandem/common/internal'

import type {
  Answer,
  ConsumerLife,
  Delivered,
  Handled,
  History,
  SentMessage,
  Span,
  Taking,
} from '../simulation/checkers/history.js'
import { LineTail } from './line-tail.js'
import type { Place, PublisherLine } from './publisher.js'
import type { SubscriberLine } from './subscriber.js'

/** One process that published. */
export interface PublisherLife {
  readonly producerId: string
  /** 1, 2, 3 … of this producerId. */
  readonly life: number
  readonly path: string
  killed: boolean
}

/** One process that subscribed. */
export interface SubscriberLife {
  readonly groupId: string
  readonly name: string
  readonly path: string
  readonly startedAtMs: number
  killedAtMs: number | undefined
  /** When it had left in peace, before the end of the run. */
  closedAtMs: number | undefined
  readonly stops: Span[]
}

export class Evidence {
  readonly #keyRanges: number
  readonly #publishers: PublisherFile[] = []
  readonly #subscribers: SubscriberFile[] = []

  /** @param keyRanges as many as the topic has partitions. */
  constructor(keyRanges: number) {
    this.#keyRanges = keyRanges
  }

  addPublisher(life: PublisherLife): void {
    this.#publishers.push(new PublisherFile(life))
  }

  addSubscriber(life: SubscriberLife): void {
    this.#subscribers.push(new SubscriberFile(life))
  }

  /** Takes in what the files have grown by. */
  read(): void {
    for (const file of [...this.#publishers, ...this.#subscribers]) file.read()
  }

  /** How many messages a life has sent. */
  countSent(life: PublisherLife): number {
    const file = this.#publishers.find((one) => one.life === life)
    file?.read()
    return file?.sentCount ?? 0
  }

  /** How many messages were sent up to a time and have no answer yet, by lives that were not killed. */
  countOpen(sentUntilMs: number): number {
    let count = 0
    for (const { life, openSends } of this.#publishers) {
      if (!life.killed) for (const atMs of openSends.values()) if (atMs <= sentUntilMs) count++
    }
    return count
  }

  /** Whether a life of a producer had every answer, and said so. */
  isClosed(life: PublisherLife): boolean {
    return this.#publishers.some((file) => file.life === life && file.closed)
  }

  acknowledged(): Set<string> {
    return new Set(
      this.#publishers.flatMap(({ answers }) => [...answers.keys()].filter((text) => answers.get(text)!.place)),
    )
  }

  /** When the fate of both copies was known of all that was sent up to then, as far as it ever was. */
  settledAtMs(sentUntilMs: number): number {
    return Math.max(0, ...this.#publishers.map((file) => file.settledAtMs(sentUntilMs)))
  }

  givenTo(groupId: string): Set<string> {
    const of = this.#subscribers.filter(({ life }) => life.groupId === groupId)
    return new Set(of.flatMap(({ deliveries }) => deliveries.map(({ text }) => text)))
  }

  /** Whether each process that subscribed was given something. */
  get everybodyWasGiven(): boolean {
    return this.#subscribers.every(({ deliveries }) => deliveries.length > 0)
  }

  /** How often the processes told of an event. */
  countEvents(kind: string): number {
    let count = 0
    for (const { events } of [...this.#publishers, ...this.#subscribers]) count += events.get(kind) ?? 0
    return count
  }

  /** What was acknowledged to these lives, for comparison with the logs. */
  acknowledgements(of: (life: PublisherLife) => boolean): Acknowledgements {
    const all = new Acknowledgements(new Books({ accounts: 0, opening: 0 }))
    for (const { life, answers } of this.#publishers) {
      if (!of(life)) continue
      for (const [text, { place }] of answers) {
        const transfer = decodeTransfer(Buffer.from(text))
        if (place !== undefined && transfer !== undefined) all.add({ ...transfer, ...place })
      }
    }
    return all
  }

  history(rest: Pick<History, 'groups' | 'storeTroubles' | 'healedAtMs' | 'rested'>): History {
    const messages = this.#publishers.flatMap((file) => file.messages(this.#keyRanges))
    const lives = this.#subscribers.map((file) => file.consumerLife())
    return {
      ...rest,
      messages: messages.sort((one, other) => one.sentAtMs - other.sentAtMs),
      lives: lives.sort((one, other) => one.startedAtMs - other.startedAtMs),
      takings: takingsIn(lives, new Map(messages.map(({ text, keyRange }) => [text, keyRange]))),
    }
  }
}

/** A lease is known by the first thing that was delivered under it: it was taken then, or a little before. */
function takingsIn(lives: readonly ConsumerLife[], keyRanges: ReadonlyMap<string, number>): Taking[] {
  const takings = new Map<string, Taking>()
  for (const { groupId, deliveries } of lives) {
    for (const { text, fence, atMs } of deliveries) {
      const keyRange = keyRanges.get(text)
      if (keyRange === undefined || fence === undefined) continue
      const name = `${groupId}/${keyRange}/${fence}`
      if (atMs >= (takings.get(name)?.atMs ?? Infinity)) continue
      takings.set(name, { groupId, keyRange, fence, atMs, releasedAtMs: undefined })
    }
  }
  return [...takings.values()].sort((one, other) => one.atMs - other.atMs)
}

interface Answered {
  readonly answer: Answer
  readonly atMs: number
  /** If it was acknowledged. */
  readonly place: Place | undefined
}

class PublisherFile {
  readonly life: PublisherLife
  readonly answers = new Map<string, Answered>()
  /** When what has no answer yet was sent. */
  readonly openSends = new Map<string, number>()
  readonly events = new Map<string, number>()
  closed = false
  readonly #sent: { readonly text: string; readonly key: string; readonly atMs: number }[] = []
  readonly #settledAtMs = new Map<string, number>()
  readonly #tail: LineTail

  constructor(life: PublisherLife) {
    this.life = life
    this.#tail = new LineTail(life.path)
  }

  read(): void {
    for (const line of this.#tail.read() as PublisherLine[]) this.#take(line)
  }

  get sentCount(): number {
    return this.#sent.length
  }

  settledAtMs(sentUntilMs: number): number {
    let lastMs = 0
    for (const { text, atMs } of this.#sent) {
      if (atMs <= sentUntilMs) lastMs = Math.max(lastMs, this.#settledAtMs.get(text) ?? 0)
    }
    return lastMs
  }

  messages(keyRanges: number): SentMessage[] {
    const { producerId, life, killed } = this.life
    return this.#sent.map(({ text, key, atMs }, index) => {
      const answered = this.answers.get(text)
      return {
        text,
        producerId,
        life,
        key,
        keyRange: keyRangeOf(Buffer.from(key), keyRanges),
        number: index + 1,
        sentAtMs: atMs,
        answer: answered?.answer ?? (killed ? 'orphaned' : 'open'),
        answeredAtMs: answered?.atMs,
      }
    })
  }

  #take(line: PublisherLine): void {
    switch (line.kind) {
      case 'sent':
        this.#sent.push(line)
        this.openSends.set(line.text, line.atMs)
        return
      case 'acknowledged': {
        const { kind, atMs, text, ...place } = line
        this.answers.set(text, { answer: kind, atMs, place })
        this.openSends.delete(text)
        return
      }
      case 'settled':
        this.#settledAtMs.set(line.text, line.atMs)
        return
      case 'rejected':
        this.answers.set(line.text, { answer: line.outcome, atMs: line.atMs, place: undefined })
        this.openSends.delete(line.text)
        return
      case 'event':
        this.events.set(line.event, (this.events.get(line.event) ?? 0) + 1)
        return
      case 'closed':
        this.closed = true
        return
      default:
        throw new Error(`no such line: ${JSON.stringify(line satisfies never)}`)
    }
  }
}

class SubscriberFile {
  readonly life: SubscriberLife
  readonly deliveries: { -readonly [K in keyof Delivered]: Delivered[K] }[] = []
  readonly events = new Map<string, number>()
  readonly #tail: LineTail
  readonly #handled: { -readonly [K in keyof Handled]: Handled[K] }[] = []
  readonly #letters: string[] = []
  /** By lease and text: deliveries that are not acknowledged yet, and handlers at work. */
  readonly #open = new Map<string, SubscriberFile['deliveries'][0]>()
  readonly #atWork = new Map<string, Handled & { toMs: number | undefined; failed: boolean }>()
  #lateTold = 0

  constructor(life: SubscriberLife) {
    this.life = life
    this.#tail = new LineTail(life.path)
  }

  read(): void {
    for (const line of this.#tail.read() as SubscriberLine[]) this.#take(line)
  }

  consumerLife(): ConsumerLife {
    const { groupId, name, startedAtMs, killedAtMs, closedAtMs, stops } = this.life
    const service = { handled: this.#handled, letters: this.#letters, poisoned: () => false }
    return {
      groupId,
      name,
      startedAtMs,
      endedAtMs: killedAtMs ?? closedAtMs,
      deliveries: this.deliveries,
      lateTold: killedAtMs === undefined ? this.#lateTold : undefined,
      stops,
      service: this.#handled.length > 0 ? service : undefined,
    }
  }

  #take(line: SubscriberLine): void {
    switch (line.kind) {
      case 'delivered': {
        const { kind, ...rest } = line
        const delivered = { ...rest, acknowledgedAtMs: undefined, refused: undefined }
        this.deliveries.push(delivered)
        this.#open.set(nameOf(line), delivered)
        return
      }
      case 'acknowledged':
        this.#known(this.#open, line).acknowledgedAtMs = line.atMs
        return
      case 'begun': {
        const { text, fence, atMs } = line
        const handled = { text, fence, fromMs: atMs, toMs: undefined, failed: false }
        this.#handled.push(handled)
        this.#atWork.set(nameOf(line), handled)
        return
      }
      case 'ended': {
        const handled = this.#known(this.#atWork, line)
        handled.toMs = line.atMs
        handled.failed = line.failed
        return
      }
      case 'letter':
        this.#letters.push(line.text)
        return
      case 'event':
        this.events.set(line.event, (this.events.get(line.event) ?? 0) + 1)
        if (line.event === 'delivered-late') this.#lateTold += line.count
        return
      default:
        throw new Error(`no such line: ${JSON.stringify(line satisfies never)}`)
    }
  }

  #known<T>(all: ReadonlyMap<string, T>, line: SubscriberLine & { readonly text: string; readonly fence: number }): T {
    const one = all.get(nameOf(line))
    if (one === undefined) throw new Error(`${this.life.name}: ${line.kind} ${line.text}, and it did not get that`)
    return one
  }
}

function nameOf({ text, fence }: { readonly text: string; readonly fence: number }): string {
  return `${fence}/${text}`
}
