/** One run of one subject, in a process that has done nothing else: told by its argument, answers by a message. */
import { fork, type ChildProcess } from 'node:child_process'

/**
 * Runs a program that ends by `answerOrder`.
 *
 * @param name for an error message.
 * @param node if another Node is to run it than this one.
 */
export function orderFrom<Order, Answer>(
  program: URL,
  name: string,
  order: Order,
  node = process.execPath,
): Promise<Answer> {
  return new OrderedProcess<Order, Answer>(program, name, order, node).answer
}

/** The same, for a program that waits for words meanwhile (`heard`). */
export class OrderedProcess<Order, Answer> implements AsyncDisposable {
  readonly answer: Promise<Answer>
  readonly #child: ChildProcess

  constructor(program: URL, name: string, order: Order, node = process.execPath) {
    const child = fork(program, [JSON.stringify(order)], { execPath: node })
    this.#child = child
    this.answer = new Promise((resolve, reject) => {
      const lost = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX)
      let answer: { readonly result: Answer } | undefined
      child.once('message', (message) => (answer = { result: message as Answer }))
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
    this.#child.send(word)
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
  const told = { ...result, memoryBytesMax: process.resourceUsage().maxRSS * 1024 }
  await new Promise((resolve) => process.send!(told, undefined, undefined, resolve))
  process.channel!.unref()
}

/** In that program: resolves when it is told this word. Asked before anybody may tell it. */
export function heard(word: string): Promise<void> {
  return new Promise((resolve) => process.on('message', (told) => told === word && resolve()))
}

/** Whatever a cluster does, a run is over by then. */
const RUN_MS_MAX = 120_000
