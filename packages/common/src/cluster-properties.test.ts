import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import { expect } from 'chai'

import {
  clusterProperties,
  CONSUMER_OWNED,
  PRODUCER_OWNED,
  withoutSecrets,
  type OwnedProperty,
} from './cluster-properties.js'
import type { TandemError } from './errors.js'

const brokers = { 'bootstrap.servers': 'east-1:9092,east-2:9092' }

const SIDES: readonly [string, readonly OwnedProperty[]][] = [
  ['producer', PRODUCER_OWNED],
  ['consumer', CONSUMER_OWNED],
]

function refusal(given: unknown, owned = PRODUCER_OWNED): TandemError {
  try {
    clusterProperties('east', given, owned)
  } catch (error) {
    expect(error).to.have.property('code', 'TANDEM_OPTIONS_INVALID')
    return error as TandemError
  }
  throw new Error('nothing was refused')
}

/** Property and what it is an alias of, as the manual of the librdkafka that is installed lists them. */
function librdkafkaAliases(): { properties: Set<string>; aliases: [alias: string, property: string][] } {
  const manual = readFileSync(
    createRequire(import.meta.url).resolve('node-rdkafka/deps/librdkafka/CONFIGURATION.md'),
    'utf8',
  )
  const properties = new Set<string>()
  const aliases: [string, string][] = []
  for (const line of manual.split('\n')) {
    const property = /^([a-z][a-z0-9._]*) +\|/.exec(line)?.[1]
    if (property === undefined) continue
    properties.add(property)
    const target = /Alias for `([^`]+)`/.exec(line)?.[1]
    if (target !== undefined) aliases.push([property, target])
  }
  return { properties, aliases }
}

describe('cluster properties', () => {
  it('pass through, as text', () => {
    const given = {
      ...brokers,
      'fetch.error.backoff.ms': 2 ** 31,
      'a.fraction': 0.5,
      'security.protocol': 'sasl_ssl',
      'sasl.password': 'hunter2',
      'socket.keepalive.enable': true,
      'fetch.wait.max.ms': 100,
      'compression.codec': 'lz4',
      'test.mock.num.brokers': 3,
      'test.mock.broker.rtt': 5,
      debug: 'broker',
    }
    for (const [, owned] of SIDES) {
      const properties = clusterProperties('east', given, owned)
      const text = Object.entries(given).map(([property, value]) => [property, String(value)])
      expect(properties).to.deep.equal(Object.fromEntries(text))
    }
  })

  it('name the brokers bootstrap.servers, whichever name was given', () => {
    expect(clusterProperties('east', { 'metadata.broker.list': 'a:1', debug: 'all' }, CONSUMER_OWNED)).to.deep.equal({
      'bootstrap.servers': 'a:1',
      debug: 'all',
    })
  })

  for (const servers of [
    'a',
    'a:1',
    'a-b.c_d:65535',
    'a:1,b:2',
    'a:1, b:2',
    '10.0.0.1:9092',
    '[::1]:9092',
    'SSL://a:1',
  ]) {
    it(`take the brokers ${servers}`, () => {
      expect(clusterProperties('east', { 'bootstrap.servers': servers }, PRODUCER_OWNED)).to.deep.equal({
        'bootstrap.servers': servers,
      })
    })
  }

  for (const servers of [
    '',
    ',',
    'a:1,',
    'a b:1',
    'a:0',
    'a:65536',
    'a:x',
    'a:1:2',
    ':9092',
    'a:1;b:2',
    5,
    true,
    'a:',
  ]) {
    it(`refuse the brokers ${JSON.stringify(servers)}`, () => {
      const error = refusal({ 'bootstrap.servers': servers })
      expect(error.message).to.include('clusters.east["bootstrap.servers"]').and.to.include('host1:9092,host2:9092')
    })
  }

  it('refuse a cluster without brokers, and one with two lists of them', () => {
    expect(refusal({}).details).to.include({ path: 'clusters.east["bootstrap.servers"]', received: 'nothing' })
    expect(refusal({ ...brokers, 'metadata.broker.list': 'a:1' }).message).to.include('two names of one property')
  })

  for (const given of [undefined, null, 'east:9092', ['east:9092'], new Map([['bootstrap.servers', 'a']]), 5]) {
    it(`refuse ${String(given)} in place of properties`, () => {
      const error = refusal(given)
      expect(error.details['path']).to.equal('clusters.east')
      expect(error.details['allowed']).to.include('bootstrap.servers')
    })
  }

  const owned = [
    ...['enable.idempotence', 'acks', 'enable.auto.commit', 'enable.auto.offset.store', 'auto.offset.reset'],
    ...['partitioner', 'metadata.recovery.strategy', 'message.timeout.ms', 'socket.timeout.ms', 'request.timeout.ms'],
    ...['max.in.flight', 'queue.buffering.max.messages', 'queue.buffering.max.kbytes', 'queue.buffering.max.ms'],
    ...['message.max.bytes', 'statistics.interval.ms', 'enable.partition.eof', 'isolation.level'],
    ...['allow.auto.create.topics', 'group.id', 'transactional.id', 'dr_cb', 'rebalance_cb', 'event_cb'],
    ...['request.required.acks', 'auto.commit.enable', 'delivery.timeout.ms', 'linger.ms'],
    'max.in.flight.requests.per.connection',
  ]
  for (const [side, list] of SIDES) {
    for (const property of owned) {
      it(`refuse ${property} of a ${side}, with the reason`, () => {
        const error = refusal({ ...brokers, [property]: 1 }, list)
        expect(error.details).to.include({ path: `clusters.east["${property}"]`, received: '1' })
        expect(error.message).to.match(/allowed is nothing: tandem owns this property, because .{20,}/)
      })
    }
  }

  it('refuse every alias of an owned property that the installed librdkafka knows, and own no name it lacks', () => {
    const { properties, aliases } = librdkafkaAliases()
    expect(aliases.length).to.be.greaterThan(5)
    const isOwned = (property: string): boolean =>
      PRODUCER_OWNED.some(({ names }) =>
        names.some((name) => (name.endsWith('*') ? property.startsWith(name.slice(0, -1)) : name === property)),
      )
    for (const [alias, property] of aliases) expect(isOwned(alias), alias).to.equal(isOwned(property))

    const ofNodeRdkafka = ['event_cb']
    for (const name of PRODUCER_OWNED.flatMap(({ names }) => names)) {
      if (ofNodeRdkafka.includes(name)) continue
      const known = [...properties].some((property) =>
        name.endsWith('*') ? property.startsWith(name.slice(0, -1)) : property === name,
      )
      expect(known, name).to.equal(true)
    }
  })

  for (const value of [undefined, null, {}, [], NaN, Infinity, () => 1, 5n, Symbol('s')]) {
    it(`refuse ${typeof value} ${String(value)} as a value`, () => {
      expect(refusal({ ...brokers, 'client.rack': value }).details).to.include({
        path: 'clusters.east["client.rack"]',
        allowed: 'a string, a finite number, true or false',
      })
    })
  }

  it('never show a secret', () => {
    const names = [
      ...['sasl.password', 'ssl.key.password', 'ssl.key.pem', 'ssl.keystore.password', 'sasl.jaas.config'],
      ...['sasl.oauthbearer.client.secret', 'sasl.oauthbearer.config', 'SASL.PASSWORD', 'oauthbearer_token'],
    ]
    for (const name of names) {
      const ownedSecret = [{ names: [name], reason: 'this test says so, and it says it at length' }]
      const asOwned = refusal({ ...brokers, [name]: 'hunter2' }, ownedSecret)
      const asWrong = refusal({ ...brokers, [name]: ['hunter2'] })
      for (const error of [asOwned, asWrong]) {
        expect(JSON.stringify([error.message, error.details, error.stack]), name).to.not.include('hunter2')
        expect(error.details['received']).to.match(/^a \w+ that is not shown$/)
      }
      expect(refusal({ ...brokers, [name]: undefined }).details['received']).to.equal('undefined')
    }
  })

  it('have a reason for each', () => {
    for (const [, list] of SIDES) {
      for (const { names, reason } of list) {
        expect(names).to.not.be.empty
        expect(reason.length).to.be.greaterThan(20)
      }
    }
  })
})

describe('withoutSecrets', () => {
  const left = (text: string, properties: Record<string, string>): string => withoutSecrets(text, properties)

  it('takes out every value of a secret property, in capitals or not, whatever characters it has', () => {
    expect(left('abcd, ABCD and a.c*', { 'sasl.password': 'abcd', 'ssl.key.password': 'a.c*' })).to.equal(
      '(not shown), (not shown) and (not shown)',
    )
    expect(left('a.c* is not abc*', { 'sasl.password': 'a.c*' })).to.equal('(not shown) is not abc*')
  })

  it('leaves no rest of one that contains another', () => {
    expect(left('abcdefgh', { 'sasl.password': 'cdef', 'ssl.key.password': 'abcdefgh' })).to.equal('(not shown)')
  })

  it('leaves what is no secret: names, paths, and values that stand in any text', () => {
    const properties = { 'sasl.username': 'ledger', 'ssl.key.location': '/etc/ledger.key', 'ssl.key.password': 'led' }
    expect(left('ledger: /etc/ledger.key is not there', properties)).to.equal('ledger: /etc/ledger.key is not there')
  })
})
