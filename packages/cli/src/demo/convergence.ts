import type { Clock } from '@tandem/common/internal'

/**
 * Waits until nothing is unfinished, or for as long as is bearable.
 *
 * @param unfinished what is still to come, each in words; asked again and again.
 * @returns what was still unfinished in the end: nothing, unless `timeoutMs` passed first.
 */
export async function waitUntilFinished(
  unfinished: () => readonly string[],
  options: { readonly timeoutMs: number; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const { timeoutMs, clock, signal } = options
  const deadline = clock.now() + timeoutMs
  for (;;) {
    signal.throwIfAborted()
    const left = unfinished()
    if (left.length === 0 || clock.now() >= deadline) return left
    await new Promise<void>((resolve) => clock.schedule(clock.now() + LOOK_EVERY_MS, resolve))
  }
}

const LOOK_EVERY_MS = 50
