import { constants } from 'node:os'

/** Signals that ask a command to stop. */
export const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Turns signals into an abort, once.
 *
 * A terminal sends Ctrl-C to the parent, which hands it on, and to us: so signals that follow closely are the same
 * one. Another one later, from somebody who will not wait for the cleaning up, ends the process on the spot; what it
 * started ends with it all the same.
 */
export function watchInterrupts(): { readonly aborted: AbortSignal; readonly status: () => number | undefined } {
  const controller = new AbortController()
  let status: number | undefined
  let firstAt = 0
  const interrupt = (name: (typeof INTERRUPTS)[number]) => {
    if (status !== undefined) {
      if (performance.now() - firstAt > SAME_MS) process.exit(status)
      return
    }
    firstAt = performance.now()
    status = 128 + constants.signals[name]
    controller.abort()
  }
  for (const name of INTERRUPTS) process.on(name, interrupt)
  // The parent is gone without a word.
  process.on('disconnect', () => interrupt('SIGHUP'))
  process.channel?.unref()
  return { aborted: controller.signal, status: () => status }
}

const SAME_MS = 1000
