/** One run of one subject, in a process that has done nothing else: told by its argument, answers by a message. */
import { fork } from 'node:child_process'

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
  return new Promise((resolve, reject) => {
    const child = fork(program, [JSON.stringify(order)], { execPath: node })
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
}

/** In that program: does what it was told to, says what came of it, and how much memory that took. */
export async function answerOrder<Order>(run: (order: Order) => Promise<object>): Promise<void> {
  process.on('disconnect', () => process.exit(1)) // nobody is left to tell
  const result = await run(JSON.parse(process.argv[2]!) as Order)
  process.send!({ ...result, memoryBytesMax: process.resourceUsage().maxRSS * 1024 })
  process.channel!.unref()
}

/** Whatever a cluster does, a run is over by then. */
const RUN_MS_MAX = 120_000
