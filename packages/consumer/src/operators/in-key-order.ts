import { context, trace, type Exception } from '@opentelemetry/api'
import {
  isTandemError,
  printable,
  quietly,
  readOptions,
  received,
  type OptionsGiven,
  type OptionsSpec,
} from '@tandem/common/internal'
import { Observable, type OperatorFunction, type Subscriber } from 'rxjs'

import { KeyOrder, type Turn, type Verdict } from '../core/key-order.js'
import type { Delivery } from '../delivery.js'
import { errorKind } from '../error-kind.js'
import type { DeadLetter } from './dead-letter.js'
import { OperatorLink } from './operator-link.js'

/** Has the effect of a delivery. Resolving and rejecting say what became of it; `ack()` and `nack()` are not needed. */
export type Handler<T> = (delivery: Delivery<T>, signal: AbortSignal) => unknown

/** What `inKeyOrder()` takes; units, ranges, defaults and meanings stand in `IN_KEY_ORDER_OPTIONS`. */
export type InKeyOrderOptions = Omit<OptionsGiven<typeof IN_KEY_ORDER_OPTIONS>, 'classify' | 'deadLetter'> & {
  readonly classify?: ((error: unknown) => Verdict) | undefined
  readonly deadLetter?: DeadLetter | undefined
}

/**
 * Handles deliveries of one key (of a topic) one after the other, and of different keys at the same time; those without
 * a key in no order.
 *
 * A delivery is acknowledged when `handler` resolves, and then goes downstream. If it rejects or throws, the key stands:
 * nothing of it is handled until this delivery is finished, by a later attempt or as a dead letter (docs/operators.md).
 * When the consumer closes, or nobody is subscribed any more, handlers that are at work finish and nothing new begins;
 * what was not begun comes again in the next life. A partition that is lost to another instance is told to handlers by
 * `signal`, and what of it was not begun is left to that instance.
 *
 * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`
 */
export function inKeyOrder<T>(
  handler: Handler<T>,
  options: InKeyOrderOptions = {},
): OperatorFunction<Delivery<T>, Delivery<T>> {
  const settings = readOptions(IN_KEY_ORDER_OPTIONS, options, 'inKeyOrder') as Settings
  readOptions(HANDLER, { handler }, 'inKeyOrder')
  return (source) => new Observable((subscriber) => new KeyOrderLink(handler, settings, subscriber).subscribe(source))
}

/** Between a KeyOrder, the handler and whoever delivers: carries events and commands, decides nothing. */
class KeyOrderLink<T> {
  readonly #handler: Handler<T>
  readonly #settings: Settings
  readonly #subscriber: Subscriber<Delivery<T>>
  readonly #order: KeyOrder<Delivery<T>>
  readonly #link: OperatorLink
  /** What is in a line: a handler that refuses by `nack()` as well has it delivered again while it still is. */
  readonly #inLine = new WeakSet<Delivery<T>>()
  #draining = false
  /** Nothing more is delivered. */
  #completed = false

  constructor(handler: Handler<T>, settings: Settings, subscriber: Subscriber<Delivery<T>>) {
    const { concurrency, retry, deadLetter } = settings
    this.#handler = handler
    this.#settings = settings
    this.#subscriber = subscriber
    this.#order = new KeyOrder({ concurrency, ...retry, deadLetter: deadLetter !== undefined })
    this.#link = new OperatorLink({
      handleDeadline: (now) => {
        this.#order.handleDeadline(now)
        this.#drain()
      },
      handleLosses: () => {
        this.#order.handleLosses((delivery) => delivery.signal.aborted)
        this.#drain()
      },
      handleClosing: () => this.#close(),
    })
  }

  subscribe(source: Observable<Delivery<T>>): () => void {
    const subscription = source.subscribe({
      next: (delivery) => this.#handleDelivered(delivery),
      error: (error: unknown) => {
        this.#close()
        this.#subscriber.error(error)
      },
      complete: () => {
        this.#completed = true
        this.#drain()
      },
    })
    return () => {
      subscription.unsubscribe()
      this.#close()
      this.#link.close()
    }
  }

  #handleDelivered(delivery: Delivery<T>): void {
    this.#link.meet(delivery)
    if (this.#inLine.has(delivery)) return
    this.#inLine.add(delivery)
    const { topic, key } = delivery
    // As bytes, whatever they mean: a topic's name has no NUL.
    this.#order.handleDelivered(delivery, key === null ? undefined : `${topic}\0${key.toString('latin1')}`)
    this.#drain()
  }

  #close(): void {
    this.#order.handleClosed()
    this.#drain()
  }

  /** Carries out what is wanted; what a command causes meanwhile is carried out after it. */
  #drain(): void {
    if (this.#draining) return
    this.#draining = true
    for (let command = this.#order.poll(); command !== undefined; command = this.#order.poll()) {
      const { kind, turn } = command
      switch (kind) {
        case 'handle':
          if (mayBegin(turn.delivery)) this.#handle(turn)
          else this.#order.handleLost(turn)
          break
        case 'bury':
          if (mayBegin(turn.delivery)) this.#bury(turn)
          else this.#order.handleLost(turn)
          break
        case 'finish':
          this.#inLine.delete(turn.delivery)
          turn.delivery.ack()
          this.#subscriber.next(turn.delivery)
          break
        case 'return':
          this.#inLine.delete(turn.delivery)
          turn.delivery.nack()
          break
        case 'stand':
          this.#tellStalled(turn)
          break
        default:
          kind satisfies never
      }
    }
    this.#draining = false
    this.#link.arm(this.#order.deadline())
    if (this.#completed && this.#order.size === 0) this.#subscriber.complete()
  }

  #handle(turn: Turn<Delivery<T>>): void {
    const { delivery } = turn
    attempt(delivery, () => this.#handler(delivery, delivery.signal)).then(
      () => {
        this.#order.handleHandled(turn)
        this.#drain()
      },
      (error: unknown) => {
        this.#handleFailed(turn, error)
        this.#drain()
      },
    )
  }

  #handleFailed(turn: Turn<Delivery<T>>, error: unknown): void {
    const { delivery } = turn
    quietly(() => trace.getSpan(delivery.context)?.recordException(error as Exception))
    if (delivery.signal.aborted) return this.#order.handleLost(turn)
    const verdict = this.#classify(error)
    const { topic } = delivery
    this.#link.host.count({
      kind: 'delivery-failed',
      topic,
      verdict: verdict ?? 'unclassified',
      reason: errorKind(error),
    })
    this.#order.handleFailed(turn, error, verdict, this.#link.host.clock.now())
  }

  /** A value that could not be decoded stays as it is, whatever is tried. */
  #classify(error: unknown): Verdict {
    let verdict: Verdict
    try {
      verdict = this.#settings.classify?.(error)
    } catch {
      verdict = undefined // as if there were no opinion
    }
    if (verdict === 'permanent' || verdict === 'transient') return verdict
    return isTandemError(error, 'TANDEM_CODEC_FAILED') || isTandemError(error, 'TANDEM_FRAME_MALFORMED')
      ? 'permanent'
      : undefined
  }

  #bury(turn: Turn<Delivery<T>>): void {
    const { delivery, error, attempts } = turn
    const { topic } = delivery
    const { host } = this.#link
    attempt(delivery, () => this.#settings.deadLetter!(delivery, { error, attempts, groupId: host.groupId })).then(
      () => {
        host.count({ kind: 'dead-letter-published', topic, reason: errorKind(error) })
        this.#order.handleBuried(turn)
        this.#drain()
      },
      (failure: unknown) => {
        host.count({ kind: 'dead-letter-failed', topic, reason: errorKind(failure) })
        if (delivery.signal.aborted) this.#order.handleLost(turn)
        else this.#order.handleBurialFailed(turn, host.clock.now())
        this.#drain()
      },
    )
  }

  #tellStalled({ delivery, attempts, error }: Turn<Delivery<T>>): void {
    const { topic, partition, from: cluster, offset } = delivery
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : received(error)
    this.#link.host.tell({
      kind: 'key-stalled',
      topic,
      partition,
      cluster,
      offset,
      attempts,
      reason: printable(reason, REASON_CHARACTERS_MAX),
    })
  }
}

/** Asked before a handler or a dead letter begins: is it still ours? To look at the signal is to look at the clock. */
function mayBegin(delivery: Delivery): boolean {
  return !delivery.signal.aborted
}

/** As a part of the delivery's trace. What throws, rejects. */
function attempt(delivery: Delivery, work: () => unknown): Promise<unknown> {
  return new Promise((resolve) => resolve(context.with(delivery.context, work)))
}

const REASON_CHARACTERS_MAX = 500

const isFunction = (value: unknown): boolean => typeof value === 'function'

const HANDLER = {
  handler: { kind: 'opaque', meaning: 'Handles a delivery.', allowed: 'a function', check: isFunction },
} as const satisfies OptionsSpec

export const IN_KEY_ORDER_OPTIONS = {
  concurrency: {
    kind: 'number',
    unit: 'handlers',
    min: 1,
    max: 100_000,
    default: 16,
    meaning: 'Handlers at work at the same time; what waits to be tried again takes no place.',
  },
  classify: {
    kind: 'opaque',
    meaning:
      'Says of an error whether it is permanent (a dead letter at once) or transient (tried for as long as it takes).',
    allowed: "a function from an error to 'permanent', 'transient' or undefined",
    check: isFunction,
    optional: true,
  },
  retry: {
    kind: 'object',
    meaning: 'How what failed is tried again.',
    options: {
      attempts: {
        kind: 'number',
        unit: 'calls',
        min: 1,
        max: 1_000_000,
        default: 5,
        meaning: 'Calls of the handler that may fail with an error that nobody classified, before the dead letter.',
      },
      delayMs: {
        kind: 'number',
        unit: 'ms',
        min: 1,
        max: 3_600_000,
        default: 100,
        meaning: 'The pause after the first failure; each further one is twice as long.',
      },
      delayMsMax: {
        kind: 'number',
        unit: 'ms',
        min: 1,
        max: 3_600_000,
        default: 10_000,
        meaning: 'No pause is longer.',
      },
    },
  },
  deadLetter: {
    kind: 'opaque',
    meaning: 'Takes what cannot be handled, such as producer.deadLetter(topic). Without one the key stands.',
    allowed: 'a function that publishes a delivery',
    check: isFunction,
    optional: true,
  },
} as const satisfies OptionsSpec

interface Settings {
  readonly concurrency: number
  readonly classify: ((error: unknown) => Verdict) | undefined
  readonly retry: { readonly attempts: number; readonly delayMs: number; readonly delayMsMax: number }
  readonly deadLetter: DeadLetter | undefined
}
