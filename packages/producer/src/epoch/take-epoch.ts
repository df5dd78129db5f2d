import { EpochStoreFailedError, isTandemError, received, type Clock } from '@tandem/common/internal'

import type { EpochRequest, EpochStore, EpochTaken } from './epoch-store.js'

/**
 * Asks a store for an epoch, in `timeoutMs` at most, whatever the store does.
 *
 * When that or the caller's signal ends it, the store is given a moment to say what it was waiting for, which tells more
 * than that time is up. A lease that comes later than that is given back.
 *
 * Rejects with EpochStoreFailedError, whatever the store threw, or with another error of tandem's that it threw; if the
 * caller's signal ended it and the store says nothing, with the reason of that signal.
 */
export function takeEpoch(
  store: EpochStore,
  request: EpochRequest,
  { timeoutMs, clock }: { readonly timeoutMs: number; readonly clock: Clock },
): Promise<EpochTaken> {
  const { producerId, signal } = request
  return new Promise((resolve, reject) => {
    const patience = new AbortController()
    let over = false
    const end = (reason: unknown): void => {
      patience.abort(reason)
      clock.schedule(clock.now(), () => settle(() => reject(reason)))
    }
    const handleAborted = (): void => end(signal?.reason)
    const cancel = clock.schedule(clock.now() + timeoutMs, () =>
      end(new EpochStoreFailedError(`The epoch store gave no answer in ${timeoutMs} ms`, { producerId })),
    )
    const settle = (task: () => void): void => {
      if (over) return
      over = true
      cancel()
      signal?.removeEventListener('abort', handleAborted)
      task()
    }
    if (signal?.aborted === true) return settle(() => reject(signal.reason))
    signal?.addEventListener('abort', handleAborted)
    // `then` first, so that a store that throws instead of rejecting is caught too.
    Promise.resolve()
      .then(() => store.take({ ...request, signal: patience.signal }))
      .then((taken) => {
        checkEpoch(taken, producerId)
        if (over) taken.lease?.release().catch(() => undefined)
        settle(() => resolve(taken))
      })
      .catch((cause: unknown) => settle(() => reject(failed(producerId, cause))))
  })
}

function checkEpoch(taken: EpochTaken | undefined, producerId: string): asserts taken is EpochTaken {
  const epoch: unknown = taken?.epoch
  if (Number.isSafeInteger(epoch) && (epoch as number) >= 1) return
  throw new EpochStoreFailedError(`The epoch store gave ${received(epoch)}, allowed is an integer from 1, below 2^53`, {
    producerId,
    received: received(epoch),
  })
}

function failed(producerId: string, cause: unknown): Error {
  if (isTandemError(cause)) return cause
  const reason = cause instanceof Error ? cause.message : received(cause)
  return new EpochStoreFailedError(`The epoch store failed: ${reason}`, { producerId }, cause)
}
