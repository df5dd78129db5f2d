/**
 * The load of every subject: as many messages as the subject takes, a bounded number under way, for a time. What is
 * counted is what was answered between the warm-up and the end; then nothing new is sent, and all that is under way is
 * waited for.
 */
export interface LoadOptions {
  readonly warmUpMs: number
  readonly measuredMs: number
  /** Messages under way. */
  readonly inFlightMax: number
}

export interface LoadResult {
  /** All that were sent, those of the warm-up too. */
  readonly sent: number
  /** Answered in the time that counts. */
  readonly answered: number
  readonly ms: number
  readonly cpuMicros: number
}

/**
 * The same with calls that send several messages each, `atOnce` calls at a time.
 *
 * @param send sends `size` messages from `first` on, and calls `done` when all of them are answered.
 */
export async function runBatches(
  load: Omit<LoadOptions, 'inFlightMax'>,
  { size, atOnce }: { readonly size: number; readonly atOnce: number },
  send: (first: number, done: () => void) => void,
): Promise<LoadResult> {
  const batches = await runLoad({ ...load, inFlightMax: atOnce }, (batch, done) => send(batch * size, done))
  return { ...batches, sent: batches.sent * size, answered: batches.answered * size }
}

/** @param send sends message `index` and calls `done` when it is answered. */
export function runLoad(
  { warmUpMs, measuredMs, inFlightMax }: LoadOptions,
  send: (index: number, done: () => void) => void,
): Promise<LoadResult> {
  return new Promise((resolve) => {
    let sent = 0
    let answered = 0
    let over = false
    let result: Omit<LoadResult, 'sent'> | undefined
    const done = (): void => {
      answered++
      if (!over) send(sent++, done)
      else if (answered === sent && result !== undefined) resolve({ ...result, sent })
    }
    setTimeout(() => {
      const before = { answered, at: performance.now(), cpu: process.cpuUsage() }
      setTimeout(() => {
        over = true
        const { user, system } = process.cpuUsage(before.cpu)
        result = { answered: answered - before.answered, ms: performance.now() - before.at, cpuMicros: user + system }
        if (answered === sent) resolve({ ...result, sent })
      }, measuredMs)
    }, warmUpMs)
    while (sent < inFlightMax) send(sent++, done)
  })
}

/** Enough to keep both clusters busy, by number and by bytes; all of it well within tandem's own bounds. */
export function inFlightMaxOf(valueBytes: number): number {
  return Math.min(IN_FLIGHT_MAX, Math.floor(IN_FLIGHT_BYTES_MAX / valueBytes))
}

const IN_FLIGHT_MAX = 10_000
const IN_FLIGHT_BYTES_MAX = 8 * 2 ** 20
