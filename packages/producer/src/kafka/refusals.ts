/**
 * What a failed delivery report means. node-rdkafka passes on nothing but the text of the error, in lower case and
 * without its origin, so the text is all there is to go by: pinned to librdkafka 2.12.0 (`rd_kafka_err_descs`), and to
 * be looked through again with each version.
 *
 * A text that is not listed is transient. That is the safe side: a record that is taken for transient is written
 * again, one that is taken for refused never is.
 *
 * A broker judges a batch as a whole, except for `INVALID_RECORD`, where librdkafka tells the guilty record from the
 * others only if the broker said so. What is about a batch says little about one record of it.
 *
 * Who may write is asked before anything else: if librdkafka tries again by itself, after an answer that was lost, a
 * right that was taken away meanwhile is all that is heard of a record that the log has.
 */
import type { WriteFailure } from '../core/write-failure.js'

/** Said of a record without a key by a compacted topic, among others. */
export const INVALID_RECORD = 'broker failed to validate record'

const REFUSALS: Readonly<Record<string, 'refused' | 'denied' | 'batch-refused' | 'fatal'>> = {
  'message size too large': 'batch-refused',
  'message batch larger than configured server segment size': 'batch-refused',
  'invalid timestamp': 'batch-refused',
  [INVALID_RECORD]: 'batch-refused',
  'message format on broker does not support request': 'batch-refused',
  'topic authorization failed': 'denied',
  'invalid topic': 'refused',
  'fatal error': 'fatal',
}

/** What a delivery report says. */
export function reportFailure(text: string): WriteFailure {
  const reason = text.toLowerCase().replace(/^(broker|local): /, '')
  return { kind: Object.hasOwn(REFUSALS, reason) ? REFUSALS[reason]! : 'transient', reason }
}

/** What `produce()` throws, where node-rdkafka does pass on the code. */
export function produceFailure(code: number | undefined, text: string): WriteFailure {
  const reason = text.toLowerCase().replace(/^(broker|local): /, '')
  switch (code) {
    case QUEUE_FULL:
      return { kind: 'queue-full', reason }
    case FATAL:
      return { kind: 'fatal', reason }
    case MESSAGE_TOO_LARGE:
    case TOPIC_AUTHORIZATION_FAILED:
    case TOPIC_INVALID:
      return { kind: 'refused', reason } // said before there was a batch: about this record alone
    default:
      return { kind: 'transient', reason }
  }
}

const QUEUE_FULL = -184
const FATAL = -150
const MESSAGE_TOO_LARGE = 10
const TOPIC_INVALID = 17
const TOPIC_AUTHORIZATION_FAILED = 29
