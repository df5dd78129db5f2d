/**
 * Which delivery is handled next: those of one key one after the other, those of different keys at the same time.
 *
 * A key has a **line** of deliveries in their order of arrival, late and redelivered ones too. Only the head of a line is
 * ever handed to the handler, and it stays the head until it is finished: while the handler is at work, while it waits
 * to be tried again, and while its dead letter is being published. So nothing of a key passes anything of that key,
 * whatever happens. What has no key has a line to itself. Lines whose head may be handled take turns, first come first
 * served, for `concurrency` places; who waits or is being published holds no place, so that keys that stand cost those
 * that do not nothing.
 *
 * What failed is tried again after pauses that double, without jitter, up to a bound. How long that goes on is said by
 * the verdict on the error. A `permanent` one goes to the dead letters at once; a `transient` one never does, and is
 * tried for as long as it takes; of those that nobody classified `attempts` are made. If there are no dead letters, the
 * key stands: it is told, and tried again all the same, as whatever stands in its way may be mended meanwhile. A dead
 * letter that cannot be published is tried again like a transient error.
 *
 * Nothing here is bounded by itself: every delivery in a line is unacknowledged, so the consumer's window bounds them.
 * Pauses need no sorting: there are few different ones, and what waits for the same pause ends it in the order in which
 * it began.
 */
import { Fifo, invariant } from '@tandem/common/internal'

/** What an error means: `permanent` never goes away by itself, `transient` does; undefined if nobody knows. */
export type Verdict = 'permanent' | 'transient' | undefined

export interface KeyOrderOptions {
  /** Handlers at work at the same time. */
  readonly concurrency: number
  /** Calls of the handler that may fail without a verdict. */
  readonly attempts: number
  /** The first pause; each one after it is twice as long, up to `delayMsMax`. */
  readonly delayMs: number
  readonly delayMsMax: number
  /** Whether dead letters can be published. */
  readonly deadLetter: boolean
}

/**
 * - `handle`: call the handler, then `handleHandled`, `handleFailed` or `handleLost`
 * - `bury`: publish a dead letter, then `handleBuried`, `handleBurialFailed` or `handleLost`
 * - `finish`: acknowledge it
 * - `return`: it is not handled any more; give it back
 * - `stand`: tell that its key stands, because there are no dead letters
 */
export type KeyOrderCommand<T> = {
  readonly kind: 'handle' | 'bury' | 'finish' | 'return' | 'stand'
  readonly turn: Turn<T>
}

/** One delivery in its line. */
export interface Turn<T> {
  readonly delivery: T
  /** Calls of the handler so far. */
  readonly attempts: number
  /** What the last call failed with. */
  readonly error: unknown
}

export class KeyOrder<T> {
  readonly #options: KeyOrderOptions
  /** Lines that are not empty: by key, or by themselves without one. */
  readonly #lines = new Map<string | Line<T>, Line<T>>()
  /** Lines whose head may be handled; what has changed its state since is passed over. */
  readonly #ready = new Fifo<Line<T>>()
  /** Heads that pause, a queue for each pause there is; what does not pause any more is passed over. */
  readonly #pauses: {
    readonly ms: number
    readonly turns: Fifo<{ readonly turn: OpenTurn<T>; readonly until: number }>
  }[]
  readonly #commands = new Fifo<KeyOrderCommand<T>>()
  #handling = 0
  #size = 0
  #closed = false

  constructor(options: KeyOrderOptions) {
    this.#options = options
    this.#pauses = []
    for (let ms = options.delayMs; ; ms *= 2) {
      this.#pauses.push({ ms: Math.min(ms, options.delayMsMax), turns: new Fifo() })
      if (ms >= options.delayMsMax) return
    }
  }

  /** Deliveries that wait or are at work. */
  get size(): number {
    return this.#size
  }

  /** @param key undefined if there is none. */
  handleDelivered(delivery: T, key: string | undefined): void {
    const known = key === undefined ? undefined : this.#lines.get(key)
    const line = known ?? new Line<T>(key)
    const turn = new OpenTurn(delivery, line)
    if (this.#closed) return this.#commands.push({ kind: 'return', turn })
    this.#size++
    line.turns.push(turn)
    if (known !== undefined) return
    this.#lines.set(line.name, line)
    this.#ready.push(line)
  }

  /** The handler is done with it. */
  handleHandled(turn: Turn<T>): void {
    this.#leave(this.#atWork(turn, 'handling'), 'finish')
  }

  handleFailed(turn: Turn<T>, error: unknown, verdict: Verdict, now: number): void {
    const head = this.#atWork(turn, 'handling')
    head.error = error
    if (verdict === undefined) head.unclassified++
    if (this.#closed) return this.#leave(head, 'return')
    const hopeless = verdict === 'permanent' || (verdict === undefined && head.unclassified >= this.#options.attempts)
    if (hopeless && this.#options.deadLetter) return this.#bury(head)
    if (hopeless && !head.stands) {
      head.stands = true
      this.#commands.push({ kind: 'stand', turn: head })
    }
    this.#pause(head, head.attempts, now)
  }

  /** Its dead letter is published. */
  handleBuried(turn: Turn<T>): void {
    this.#leave(this.#atWork(turn, 'burying'), 'finish')
  }

  handleBurialFailed(turn: Turn<T>, now: number): void {
    const head = this.#atWork(turn, 'burying')
    if (this.#closed) return this.#leave(head, 'return')
    this.#pause(head, head.burials, now)
  }

  /** At work, it turned out that this instance may have lost it. */
  handleLost(turn: Turn<T>): void {
    const { line } = turn as OpenTurn<T>
    this.#leave(this.#atWork(turn, line.state === 'burying' ? 'burying' : 'handling'), 'return')
  }

  /** Partitions may be lost: of what is not at work, what is `lost` is given back. */
  handleLosses(lost: (delivery: T) => boolean): void {
    this.#clear(lost)
  }

  /** What is at work ends, nothing new begins, and the rest is given back. */
  handleClosed(): void {
    if (this.#closed) return
    this.#closed = true
    this.#clear(() => true)
  }

  poll(): KeyOrderCommand<T> | undefined {
    const command = this.#commands.shift()
    if (command !== undefined) return command
    while (this.#handling < this.#options.concurrency) {
      const line = this.#ready.shift()
      if (line === undefined) return undefined
      if (line.state !== 'ready') continue
      const turn = line.turns.peek()!
      line.state = 'handling'
      turn.attempts++
      this.#handling++
      return { kind: 'handle', turn }
    }
    return undefined
  }

  /** When the first pause ends. */
  deadline(): number | undefined {
    let deadline: number | undefined
    for (const { turns } of this.#pauses) {
      while (turns.size > 0 && !turns.peek()!.turn.pauses) turns.shift()
      const until = turns.peek()?.until
      if (until !== undefined && (deadline === undefined || until < deadline)) deadline = until
    }
    return deadline
  }

  handleDeadline(now: number): void {
    for (const { turns } of this.#pauses) {
      for (let pause = turns.peek(); pause !== undefined && pause.until <= now; pause = turns.peek()) {
        turns.shift()
        if (pause.turn.pauses) this.#resume(pause.turn)
      }
    }
  }

  /** Asserts that it was handed out for this, and that nothing was heard of it since. */
  #atWork(turn: Turn<T>, state: 'handling' | 'burying'): OpenTurn<T> {
    const head = turn as OpenTurn<T>
    invariant(head.line.state === state && head.line.turns.peek() === head, `heard of a turn that is not ${state}`)
    if (state === 'handling') this.#handling--
    return head
  }

  #pause(head: OpenTurn<T>, times: number, now: number): void {
    const { ms, turns } = this.#pauses[Math.min(times, this.#pauses.length) - 1]!
    turns.push({ turn: head, until: now + ms })
    head.line.state = 'pausing'
  }

  #resume(head: OpenTurn<T>): void {
    if (head.burials > 0) return this.#bury(head)
    head.line.state = 'ready'
    this.#ready.push(head.line)
  }

  #bury(head: OpenTurn<T>): void {
    head.line.state = 'burying'
    head.burials++
    this.#commands.push({ kind: 'bury', turn: head })
  }

  /** The head leaves its line, and the next one takes its place. */
  #leave(head: OpenTurn<T>, kind: 'finish' | 'return'): void {
    const { line } = head
    line.turns.shift()
    this.#size--
    this.#commands.push({ kind, turn: head })
    this.#advance(line)
  }

  #advance(line: Line<T>): void {
    if (line.turns.size === 0) {
      line.state = 'gone'
      this.#lines.delete(line.name)
    } else if (line.state !== 'ready') {
      line.state = 'ready'
      this.#ready.push(line)
    }
  }

  /** Gives back what is not at work. */
  #clear(which: (delivery: T) => boolean): void {
    for (const line of this.#lines.values()) {
      const head = line.turns.peek()
      const busy = line.state === 'handling' || line.state === 'burying'
      line.turns.filter((turn) => {
        if ((busy && turn === head) || !which(turn.delivery)) return true
        this.#size--
        this.#commands.push({ kind: 'return', turn })
        return false
      })
      if (line.turns.peek() !== head) this.#advance(line)
    }
  }
}

/**
 * - `ready`: its head waits for a place
 * - `handling`, `burying`: its head is at work
 * - `pausing`: its head waits until it is tried again
 * - `gone`: it is empty, and forgotten
 */
type LineState = 'ready' | 'handling' | 'pausing' | 'burying' | 'gone'

class Line<T> {
  /** Under which it is found. */
  readonly name: string | Line<T>
  readonly turns = new Fifo<OpenTurn<T>>()
  /** What its head is doing. */
  state: LineState = 'ready'

  constructor(key: string | undefined) {
    this.name = key ?? this
  }
}

class OpenTurn<T> implements Turn<T> {
  readonly delivery: T
  readonly line: Line<T>
  attempts = 0
  error: unknown
  /** Calls that failed and that nobody classified. */
  unclassified = 0
  /** Attempts to publish its dead letter; from the first one on it is not handled any more. */
  burials = 0
  /** That its key stands was told. */
  stands = false

  constructor(delivery: T, line: Line<T>) {
    this.delivery = delivery
    this.line = line
  }

  get pauses(): boolean {
    return this.line.state === 'pausing' && this.line.turns.peek() === this
  }
}
