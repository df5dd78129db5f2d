/** One run of one subject, in a process that has done nothing else: told by its argument, answers by a message. */
import { fork, type ChildProcess } from 'node:child_process'

export interface RunOptions<Told> {
  /** If another Node is to run it than this one. */
  readonly node?: string | undefined
  /** Of Node. */
  readonly flags?: readonly string[] | undefined
  /** What it says of itself while it runs (`report`). */
  readonly told?: ((told: Told) => void) | undefined
  /** Whatever a cluster does, the run is over by then. */
  readonly runMsMax?: number | undefined
}

/**
 * Runs a program that ends by `answerOrder`, by a Node that is told what one at full speed is told (docs/scale.md).
 *
 * @throws Error if it ends without an answer, or does not end. Its standard error is ours.
 */
export function orderFrom<Order, Answer>(
  program: URL,
  name: string,
  order: Order,
  options: RunOptions<never> = {},
): Promise<Answer> {
  return new OrderedProcess<Order, Answer>(program, name, order, { flags: FULL_SPEED, ...options }).answer
}

/** The same, for a program that waits for words meanwhile (`heard`), or says how it does. */
export class OrderedProcess<Order, Answer, Told = never> implements AsyncDisposable {
  readonly answer: Promise<Answer>
  readonly #child: ChildProcess

  constructor(
    program: URL,
    name: string,
    order: Order,
    { node = process.execPath, flags = [], told, runMsMax = RUN_MS_MAX }: RunOptions<Told> = {},
  ) {
    const child = fork(program, [JSON.stringify(order)], { execPath: node, execArgv: [...process.execArgv, ...flags] })
    this.#child = child
    this.answer = new Promise((resolve, reject) => {
      const lost = setTimeout(() => child.kill('SIGKILL'), runMsMax)
      let answer: { readonly result: Answer } | undefined
      child.on('message', (message: Message<Told, Answer>) => {
        if ('told' in message) told?.(message.told)
        else answer = message
      })
      child.once('error', reject)
      child.once('close', (status, signal) => {
        clearTimeout(lost)
        if (answer !== undefined && status === 0) resolve(answer.result)
        else reject(new Error(`${name}: its process ended with ${signal ?? status} and no result`))
      })
    })
    this.answer.catch(() => undefined) // of a run that is given up nobody waits for it
  }

  tell(word: string): void {
    if (this.#child.connected) this.#child.send(word)
  }

  /** Ends it, if it has not ended by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.answer.catch(() => undefined)
  }
}

/** In that program: does what it was told to, says what came of it, and how much memory that took. Then it may exit. */
export async function answerOrder<Order>(run: (order: Order) => Promise<object>): Promise<void> {
  process.on('disconnect', () => process.exit(1)) // nobody is left to tell
  const result = await run(JSON.parse(process.argv[2]!) as Order)
  const answer = { result: { ...result, memoryBytesMax: process.resourceUsage().maxRSS * 1024 } }
  await new Promise((resolve) => process.send!(answer, undefined, undefined, resolve))
  process.channel!.unref()
}

/** In that program: resolves when it is told this word. Asked before anybody may tell it. */
export function heard(word: string): Promise<void> {
  return new Promise((resolve) => process.on('message', (told) => told === word && resolve()))
}

/** In that program: how it does, while it runs. */
export function report(told: object): void {
  process.send!({ told })
}

type Message<Told, Answer> = { readonly told: Told } | { readonly result: Answer }

const RUN_MS_MAX = 120_000
/** Thousands of messages are under way, and live longer than what is allocated meanwhile. */
const FULL_SPEED = ['--max-semi-space-size=64']
