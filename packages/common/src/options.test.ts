import { expect } from 'chai'

import type { TandemError } from './errors.js'
import { allowedText, readOptions, type Options, type OptionsGiven, type OptionsSpec } from './options.js'

const spec = {
  producerId: { kind: 'string', pattern: /^[a-z-]{1,8}$/, allowed: '1 to 8 of a-z -', meaning: 'who writes' },
  sendTimeoutMs: { kind: 'number', unit: 'ms', min: 1, max: 60_000, default: 30_000, meaning: 'until a send gives up' },
  share: { kind: 'number', unit: 'of 1', min: 0, max: 1, fractional: true, default: 0.5, meaning: 'a fraction' },
  acknowledge: { kind: 'enum', values: ['one', 'available', 'both'], default: 'one', meaning: 'when a send resolves' },
  strict: { kind: 'boolean', default: false, meaning: 'warnings refuse' },
  label: { kind: 'string', optional: true, meaning: 'a name for people' },
  epochs: {
    kind: 'opaque',
    check: (value: unknown): value is { next(): number } =>
      typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function',
    allowed: 'an epoch store',
    optional: true,
    meaning: 'where epochs come from',
  },
  whenBothAway: {
    kind: 'object',
    meaning: 'when neither cluster takes a message',
    options: {
      policy: { kind: 'enum', values: ['reject', 'block'], default: 'reject', meaning: 'what happens' },
      timeoutMs: { kind: 'number', unit: 'ms', min: 1, max: 1000, default: 100, meaning: 'how long block blocks' },
    },
  },
  topics: {
    kind: 'map',
    names: /^[a-z.]+$/,
    countMax: 2,
    meaning: 'options of single topics',
    of: {
      kind: 'object',
      meaning: 'one topic',
      options: {
        keyRanges: { kind: 'number', unit: 'key ranges', min: 1, max: 2 ** 31 - 1, optional: true, meaning: 'slices' },
        framing: { kind: 'enum', values: ['record', 'frame'], default: 'record', meaning: 'messages per record' },
      },
    },
  },
  tags: {
    kind: 'list',
    countMax: 3,
    meaning: 'words',
    of: { kind: 'string', meaning: 'a word' },
  },
} as const satisfies OptionsSpec

const minimal: OptionsGiven<typeof spec> = { producerId: 'ledger' }

function read(given: unknown): Options<typeof spec> {
  return readOptions(spec, given, 'producer')
}

function refusal(given: unknown): TandemError {
  try {
    read(given)
  } catch (error) {
    expect(error).to.have.property('code', 'TANDEM_OPTIONS_INVALID')
    return error as TandemError
  }
  throw new Error('nothing was refused')
}

describe('options', () => {
  it('fill in every default', () => {
    expect(read(minimal)).to.deep.equal({
      producerId: 'ledger',
      sendTimeoutMs: 30_000,
      share: 0.5,
      acknowledge: 'one',
      strict: false,
      label: undefined,
      epochs: undefined,
      whenBothAway: { policy: 'reject', timeoutMs: 100 },
      topics: {},
      tags: [],
    })
  })

  it('take what is given, nested too, and leave instances as they are', () => {
    const epochs = { next: () => 1 }
    const given: OptionsGiven<typeof spec> = {
      producerId: 'ledger',
      sendTimeoutMs: 60_000,
      share: 0.25,
      acknowledge: 'both',
      strict: true,
      label: 'the ledger',
      epochs,
      whenBothAway: { policy: 'block' },
      topics: { entries: { keyRanges: 64 }, 'entries.dlq': {} },
      tags: ['a', 'b'],
    }
    const options = read(given)
    expect(options).to.deep.equal({
      ...given,
      whenBothAway: { policy: 'block', timeoutMs: 100 },
      topics: {
        entries: { keyRanges: 64, framing: 'record' },
        'entries.dlq': { keyRanges: undefined, framing: 'record' },
      },
    })
    expect(options.epochs).to.equal(epochs)
  })

  it('are typed from the table', () => {
    const options = read(minimal)
    const acknowledge: 'one' | 'available' | 'both' = options.acknowledge
    const timeoutMs: number = options.whenBothAway.timeoutMs
    const framing: 'record' | 'frame' | undefined = options.topics['entries']?.framing
    const next: (() => number) | undefined = options.epochs?.next
    // @ts-expect-error it may be left out
    const label: string = options.label
    // @ts-expect-error producerId is required
    const incomplete: OptionsGiven<typeof spec> = {}
    // @ts-expect-error there is no such option
    const unknown: OptionsGiven<typeof spec> = { producerId: 'a', timeoutMs: 5 }
    // @ts-expect-error not one of the values
    const wrong: OptionsGiven<typeof spec> = { producerId: 'a', acknowledge: 'all' }
    expect([acknowledge, timeoutMs, framing, next, label]).to.deep.equal(['one', 100, undefined, undefined, undefined])
    expect([incomplete, unknown, wrong].length).to.equal(3)
  })

  it('cannot be changed afterwards', () => {
    const options = read({ producerId: 'a', topics: { entries: {} } })
    for (const frozen of [options, options.whenBothAway, options.topics, options.topics['entries'], options.tags]) {
      expect(frozen).to.be.frozen
    }
  })

  it('take undefined for left out, but not null', () => {
    expect(read({ ...minimal, sendTimeoutMs: undefined, whenBothAway: undefined }).sendTimeoutMs).to.equal(30_000)
    for (const name of Object.keys(spec)) {
      expect(refusal({ ...minimal, [name]: null }).details).to.include({ path: `producer.${name}`, received: 'null' })
    }
  })

  const refusals: readonly [what: string, given: unknown, path: string, received: string, allowed: string][] = [
    ['nothing at all', undefined, 'producer', 'nothing', 'an object'],
    ['null', null, 'producer', 'null', 'an object'],
    ['text', 'x', 'producer', '"x" (string)', 'an object'],
    ['an array', [], 'producer', 'an array of 0', 'an object'],
    ['a Map', new Map(), 'producer', 'an instance of Map', 'an object'],
    ['a function', () => 1, 'producer', 'a function', 'an object'],
    ['a required option that is missing', {}, 'producer.producerId', 'nothing', '1 to 8 of a-z -'],
    ['text that does not fit', { producerId: 'A' }, 'producer.producerId', '"A" (string)', '1 to 8 of a-z -'],
    ['empty text', { ...minimal, label: '' }, 'producer.label', '"" (string)', 'text that is not empty'],
    ['a number for text', { producerId: 5 }, 'producer.producerId', '5', '1 to 8 of a-z -'],
    [
      'an unknown enum value',
      { ...minimal, acknowledge: 'all' },
      'producer.acknowledge',
      '"all" (string)',
      "'one' or 'available' or 'both'; default one",
    ],
    ['an enum in an array', { ...minimal, acknowledge: ['one'] }, 'producer.acknowledge', 'an array of 1', "'one' or"],
    ['1 for true', { ...minimal, strict: 1 }, 'producer.strict', '1', 'true or false; default false'],
    ['an instance of something else', { ...minimal, epochs: {} }, 'producer.epochs', 'an object', 'an epoch store'],
    [
      'a nested value',
      { ...minimal, whenBothAway: { timeoutMs: 0 } },
      'producer.whenBothAway.timeoutMs',
      '0',
      'an integer from 1 to 1000 ms; default 100',
    ],
    [
      'a nested key',
      { ...minimal, whenBothAway: { timeout: 5 } },
      'producer.whenBothAway.timeout',
      'an unknown option',
      'one of policy, timeoutMs',
    ],
    ['text for nested options', { ...minimal, whenBothAway: 'block' }, 'producer.whenBothAway', '"block"', 'an object'],
    [
      'a value in a map',
      { ...minimal, topics: { entries: { keyRanges: 1.5 } } },
      'producer.topics.entries.keyRanges',
      '1.5',
      'an integer from 1 to 2147483647 key ranges',
    ],
    ['a key in a map', { ...minimal, topics: { entries: { x: 1 } } }, 'producer.topics.entries.x', 'unknown', 'one of'],
    ['a name in a map', { ...minimal, topics: { 'a b': {} } }, 'producer.topics', 'the name "a b"', '/^[a-z.]+$/'],
    ['too many in a map', { ...minimal, topics: { a: {}, b: {}, c: {} } }, 'producer.topics', '3 of them', '0 to 2'],
    ['no map', { ...minimal, topics: ['entries'] }, 'producer.topics', 'an array of 1', 'an object'],
    ['a value in a list', { ...minimal, tags: ['a', 5] }, 'producer.tags[1]', '5', 'text that is not empty'],
    ['a hole in a list', { ...minimal, tags: ['a', , 'b'] }, 'producer.tags[1]', 'nothing', 'text'],
    ['too many in a list', { ...minimal, tags: ['a', 'b', 'c', 'd'] }, 'producer.tags', '4 of them', '0 to 3'],
    ['no list', { ...minimal, tags: 'a' }, 'producer.tags', '"a" (string)', 'an array of 0 to 3'],
    ['an unknown option', { ...minimal, ack: 1 }, 'producer.ack', 'an unknown option', 'one of producerId, send'],
    ['an unknown option that is undefined', { ...minimal, ack: undefined }, 'producer.ack', 'an unknown', 'one of'],
    ['a name that every object has', { ...minimal, toString: 1 }, 'producer.toString', 'an unknown', 'one of'],
    [
      'a field named __proto__',
      JSON.parse('{"producerId":"a","__proto__":{"strict":true}}'),
      'producer.__proto__',
      'an unknown option',
      'one of',
    ],
  ]
  for (const [what, given, path, received, allowed] of refusals) {
    it(`refuse ${what}: path, what was received, what is allowed`, () => {
      const error = refusal(given)
      expect(error.details['path']).to.equal(path)
      expect(error.details['received']).to.include(received)
      expect(error.details['allowed']).to.include(allowed)
      expect(error.message).to.equal(
        `option ${path}: received ${String(error.details['received'])}, allowed is ${String(error.details['allowed'])}`,
      )
    })
  }

  for (const value of [NaN, Infinity, -Infinity, -1, 0, 60_001, 1.5, '5', 5n, true, {}, [5], new Date(5)]) {
    it(`refuse ${typeof value} ${String(value)} as a duration`, () => {
      expect(refusal({ ...minimal, sendTimeoutMs: value }).details).to.include({
        path: 'producer.sendTimeoutMs',
        allowed: 'an integer from 1 to 60000 ms; default 30000',
      })
    })
  }

  it('take both ends of a range', () => {
    expect(read({ ...minimal, sendTimeoutMs: 1, share: 0 })).to.include({ sendTimeoutMs: 1, share: 0 })
    expect(read({ ...minimal, sendTimeoutMs: 60_000, share: 1 })).to.include({ sendTimeoutMs: 60_000, share: 1 })
  })

  it('do not inherit: what a prototype says is not given', () => {
    const given: unknown = Object.assign(Object.create({ strict: true, ack: 5 }), minimal)
    expect(read(given).strict).to.equal(false)
  })

  it('hold their own defaults to the same range', () => {
    const wrong = { n: { kind: 'number', unit: 'ms', min: 10, max: 20, default: 5, meaning: '' } } as const
    expect(() => readOptions(wrong, {}, 'x')).to.throw('option x.n: received 5')
  })

  it('keep messages on one line and short, whatever the names', () => {
    const error = refusal({ ...minimal, ['\n\u001b'.repeat(100_000)]: 1 })
    expect(error.message).to.not.match(/[\n\u001b]/)
    expect(error.message.length).to.be.lessThan(1000)
  })

  it('say what is allowed, for each kind', () => {
    expect(Object.values(spec).map(allowedText)).to.deep.equal([
      '1 to 8 of a-z -',
      'an integer from 1 to 60000 ms; default 30000',
      'a number from 0 to 1 of 1; default 0.5',
      "'one' or 'available' or 'both'; default one",
      'true or false; default false',
      'text that is not empty',
      'an epoch store',
      'an object of policy, timeoutMs',
      'an object of 0 to 2 by name',
      'an array of 0 to 3',
    ])
    expect(allowedText({ kind: 'string', pattern: /^a$/, meaning: '' })).to.equal('text like /^a$/')
    expect(
      allowedText({ kind: 'map', countMin: 2, countMax: 2, of: { kind: 'boolean', meaning: '' }, meaning: '' }),
    ).to.equal('an object of exactly 2 by name')
  })
})
