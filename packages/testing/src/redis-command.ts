import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceFailedError } from '@tandem/common/internal'

import { firstAnswer } from './first-answer.js'

/**
 * Sends one command, its words parted by spaces, over a connection of its own.
 *
 * @returns the first packet of the answer as it comes, without the last line's end: `+OK`, `-NOAUTH …`, `$-1`; empty if
 *   nothing answers.
 */
export async function redisCommand(port: number, text: string): Promise<string> {
  return (await firstAnswer(port, `${text}\r\n`)).toString().trimEnd()
}

/** @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it was not answered with OK. */
export async function redisCarriesOut(port: number, text: string): Promise<void> {
  const answer = await redisCommand(port, text)
  if (answer !== '+OK') throw new ServiceFailedError(`the Redis at port ${port} did not carry out ${text}: ${answer}`)
}

/** Asks again until the answer is good, or `over` is aborted. */
export async function awaitRedis(
  port: number,
  { ask, good, over }: { readonly ask: string; readonly good: (answer: string) => boolean; readonly over: AbortSignal },
): Promise<void> {
  while (!over.aborted && !good(await redisCommand(port, ask))) await sleep(ASK_AGAIN_AFTER_MS)
}

const ASK_AGAIN_AFTER_MS = 10
