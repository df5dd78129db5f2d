import { setTimeout as sleep } from 'node:timers/promises'

/** 0, 1, 2, …: each when it is due. Whoever was held up makes up for it at once, so that the rate is kept. */
export async function* dueAtRate(perSecond: number): AsyncGenerator<number, never> {
  const begin = performance.now()
  for (let number = 0; ; number++) {
    const ahead = (number * 1_000) / perSecond - (performance.now() - begin)
    if (ahead > 1) await sleep(ahead)
    yield number
  }
}
