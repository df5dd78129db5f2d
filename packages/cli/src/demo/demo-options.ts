import { parseArgs } from 'node:util'

import { OptionsInvalidError } from '@tandem/common'

/** What is done to one cluster: its processes killed for good and started again, stopped and continued, or nothing. */
export type Fault = 'kill' | 'hang' | 'none'

export interface DemoOptions {
  /** Messages of the load. */
  readonly messages: number
  /** Messages per second. */
  readonly rate: number
  /** Two real Kafka clusters instead of the embedded ones. */
  readonly kafka: boolean
  readonly fault: Fault
  /** The verdict as one JSON object on the last line of standard output. */
  readonly json: boolean
}

export const DEMO_USAGE = `Usage: tandem demo [options]

Writes transfers between accounts to two clusters and books what a consumer delivers, while one
cluster goes away and comes back; then says what was lost, repeated or out of order.

Options:
  --messages N              messages of the load (default 40000)
  --rate R                  messages per second (default 1000)
  --kafka                   two real Kafka clusters and a real Redis, instead of the embedded ones
  --fault kill|hang|none    what happens to one cluster between a third and two thirds of the load
                            (default: hang, with --kafka: kill)
  --json                    the verdict as one JSON object on the last line of standard output
  --help                    this text
`

/** @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: with what was received and what is allowed. */
export function readDemoOptions(args: readonly string[]): DemoOptions {
  const { messages, rate, kafka = false, fault, json = false } = parse(args)
  const messagesMax = kafka ? MESSAGES_MAX : EMBEDDED_MESSAGES_MAX
  return {
    messages: readInteger('--messages', messages, { default: 40_000, min: 3, max: messagesMax, kafka }),
    rate: readInteger('--rate', rate, { default: 1000, min: 1, max: RATE_MAX, kafka }),
    kafka,
    fault: readFault(fault, kafka),
    json,
  }
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        messages: { type: 'string' },
        rate: { type: 'string' },
        kafka: { type: 'boolean' },
        fault: { type: 'string' },
        json: { type: 'boolean' },
      },
    })
    return values
  } catch (cause) {
    // Node's text names the argument; its advice about `--` helps nobody here.
    const text = cause instanceof Error ? cause.message.split('. ')[0]! : String(cause)
    throw new OptionsInvalidError(text, { args }, cause)
  }
}

function readInteger(
  option: string,
  given: string | undefined,
  allowed: { default: number; min: number; max: number; kafka: boolean },
): number {
  if (given === undefined) return allowed.default
  const value = /^\d{1,15}$/.test(given) ? Number(given) : NaN
  if (value >= allowed.min && value <= allowed.max) return value
  const hint = value > allowed.max && !allowed.kafka && option === '--messages' ? EMBEDDED_HINT : ''
  throw new OptionsInvalidError(
    `${option} received ${JSON.stringify(given)}, allowed is an integer from ${allowed.min} to ${allowed.max}${hint}`,
    { option, received: given, min: allowed.min, max: allowed.max },
  )
}

function readFault(given: string | undefined, kafka: boolean): Fault {
  switch (given) {
    case undefined:
      return kafka ? 'kill' : 'hang'
    case 'hang':
    case 'none':
      return given
    case 'kill':
      if (kafka) return given
      throw new OptionsInvalidError(
        '--fault received "kill", which needs --kafka: an embedded cluster loses its log with its process, ' +
          'so it cannot come back; allowed is hang or none',
        { option: '--fault', received: given, allowed: ['hang', 'none'] },
      )
    default:
      throw new OptionsInvalidError(`--fault received ${JSON.stringify(given)}, allowed is kill, hang or none`, {
        option: '--fault',
        received: given,
        allowed: ['kill', 'hang', 'none'],
      })
  }
}

const MESSAGES_MAX = 10_000_000
const RATE_MAX = 100_000
/** An embedded cluster keeps about 5 MB of each of its four partitions, and drops the oldest beyond that. */
const EMBEDDED_MESSAGES_MAX = 60_000
const EMBEDDED_HINT = '; an embedded cluster keeps no more, use --kafka'
