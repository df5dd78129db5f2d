/**
 * Why a client does not get through to its cluster, in words that a person can act on.
 *
 * node-rdkafka answers "broker transport failure", whatever was wrong. What librdkafka knows (a password that was
 * refused, a certificate that nobody vouches for) it says in its log, at once, also before the client is connected; so
 * the log is listened to. Of several lines that one is kept that got furthest on the way to a broker: a refused password
 * means that address and certificate were right. Of equals the longer one is kept: librdkafka words the same failed
 * handshake now with its advice and now without.
 *
 * Secrets do not belong into a log; should one stand in a line all the same, it is taken out here.
 */
import { withoutSecrets } from './cluster-properties.js'
import { printable } from './received.js'

/** A line of librdkafka's log, as node-rdkafka hands it on with `event.log`. */
export interface ClientLogLine {
  /** As syslog counts: 3 is an error, 6 a piece of information. */
  readonly severity: number
  /** What kind of line it is. */
  readonly fac: string
  readonly message: string
}

export class FailureReason {
  readonly #properties: Readonly<Record<string, string>>
  #heard: { readonly distance: number; readonly text: string } | undefined

  /** @param properties the client's, for the secrets among them. */
  constructor(properties: Readonly<Record<string, string>>) {
    this.#properties = properties
  }

  handleLog({ severity, fac, message }: ClientLogLine): void {
    if (fac !== CONNECTION_FAILED && severity > ERROR) return
    const text = message.replace(THREAD, '').replace(BROKER, '$1: ').replace(CIRCUMSTANCES, '')
    const heard = { distance: distanceOf(text, severity), text }
    if (this.#heard === undefined || isMoreTelling(heard, this.#heard)) this.#heard = heard
  }

  /** The client got through: whatever was heard is mended. */
  handleSuccess(): void {
    this.#heard = undefined
  }

  /** What to say of this error of the client: its own words, unless they say no more than that nothing came. */
  of(error: unknown): string {
    const own = wordsOf(error)
    const text = this.#heard !== undefined && NOTHING_CAME.test(own) ? this.#heard.text : own
    return printable(withoutSecrets(text, this.#properties), REASON_CHARACTERS_MAX)
  }
}

function isMoreTelling(line: { distance: number; text: string }, than: { distance: number; text: string }): boolean {
  return line.distance > than.distance || (line.distance === than.distance && line.text.length > than.text.length)
}

/** How far the attempt got of which a line tells. */
function distanceOf(text: string, severity: number): number {
  if (/\bSASL\b/.test(text)) return 3
  if (/certificate|SSL routines|SSL handshake/.test(text)) return 2
  return severity <= ERROR ? 1 : 0 // a connection that was closed says less than one that was refused
}

/** node-rdkafka cuts the words of some errors in two, at the first colon. */
function wordsOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('message' in error)) return String(error)
  const origin = 'origin' in error ? String(error.origin) : ''
  return ORIGINS.includes(origin) ? String(error.message) : `${origin}: ${String(error.message)}`
}

/** Where node-rdkafka says that an error is from, if that is no part of what happened. */
const ORIGINS = ['', 'unknown', 'local', 'broker', 'kafka']

const NOTHING_CAME = /transport failure|timed out|brokers? (connections )?(are )?down|disconnected|resolution failure/i

/** Of lines about a connection to a broker. */
const CONNECTION_FAILED = 'FAIL'
const ERROR = 3

/** `[thrd:main]: `: librdkafka's own business. */
const THREAD = /^\[thrd:[^\]]*\]: /
/** `sasl_ssl://host:9092/bootstrap: ` */
const BROKER = /^(?:\w+:\/\/)?(\S+:\d+)\/\w+: /
/** ` (after 312ms in state AUTH_REQ, 1 identical error(s) suppressed)`: differs from attempt to attempt. */
const CIRCUMSTANCES = / \(after \d+ms in state [^()]*(?:\(s\)[^()]*)?\)$/

/** librdkafka's longest. */
const REASON_CHARACTERS_MAX = 512
