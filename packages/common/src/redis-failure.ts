/**
 * What a Redis client threw, as far as a person and a store need it: why, and whether waiting can mend it.
 *
 * A Redis that is away, loads, fails over or moves slots is waited for. What it refuses to this user or this
 * configuration stays refused until somebody changes that. ioredis puts the command with all its arguments beside an
 * error, a password among them, and a Redis that does not know a command repeats what it was told; neither belongs into
 * a log.
 */
import { printable, received } from './received.js'

export interface RedisFailure {
  readonly reason: string
  /** No time mends it: a password, a right, a command or the type of a key. */
  readonly permanent: boolean
  /** What was thrown, without what it carries beside its message. */
  readonly cause: unknown
}

export function redisFailureOf(error: unknown): RedisFailure {
  if (!(error instanceof Error)) return { reason: received(error), permanent: false, cause: error }
  // Of a Redis Cluster of which no node answers this is what the last one said.
  const { lastNodeError } = error as { lastNodeError?: unknown }
  if (lastNodeError instanceof Error) return redisFailureOf(lastNodeError)
  const reason = printable(error.message.replace(REPEATED, ''), REASON_CHARACTERS_MAX)
  const cause = new Error(reason)
  cause.name = error.name
  return { reason, permanent: PERMANENT.test(reason), cause }
}

/** `ERR unknown command 'AUTH', with args beginning with: 'the password' ` */
const REPEATED = /,? with args beginning with:.*$/s

/** In this order: the password or user, a right, a right of a script's, something else at the key, a command. */
const PERMANENT =
  /^(WRONGPASS|NOAUTH|NOPERM|WRONGTYPE)\b|^ERR (invalid password|The user executing the script can't|unknown (sub)?command)/

/** Longer than Redis's longest. */
const REASON_CHARACTERS_MAX = 512
