import { readdirSync, readFileSync } from 'node:fs'

import { expect } from 'chai'

import { isTandemError } from '@tandem/common'
import { Producer } from '@tandem/producer'

import { Stage } from './stage.js'
import {
  ACKNOWLEDGE,
  MODES,
  play,
  playCrash,
  POLICIES,
  STATES,
  STRATEGIES,
  type State,
  type Strategy,
} from './strategies.js'

/** Holds the tables of docs/strategies to what the shipped producer does in a simulated world. */
describe('strategies', function () {
  this.timeout(60_000)

  for (const acknowledge of ACKNOWLEDGE) {
    it(`do what the decision page says, with acknowledge ${acknowledge}`, async () => {
      const columns = STRATEGIES.map(({ policy, mode }) => `${policy}, ${mode}`)
      const rows: string[][] = [['state', ...columns]]
      for (const state of STATES) rows.push([state.name, ...(await fates(state, STRATEGIES, [acknowledge]))])
      expect(tableUnder('README.md', `acknowledge ${acknowledge}`)).to.deep.equal(rows)
    })
  }

  for (const strategy of STRATEGIES) {
    it(`do what ${strategy.page} says, with the options that it shows`, async () => {
      const [, code] = /^```ts\n([^]*?)^```$/m.exec(readFileSync(new URL(strategy.page, FOLDER), 'utf8'))!
      expect(/policy: '([a-z]+)'/.exec(code!)?.[1]).to.equal(strategy.policy)
      expect(/mode: '([a-z-]+)'/.exec(code!)?.[1] ?? 'off').to.equal(strategy.mode)
      const rows: string[][] = [['state', ...ACKNOWLEDGE]]
      for (const state of STATES) {
        if (isThere(state, strategy)) rows.push([state.name, ...(await fates(state, [strategy], ACKNOWLEDGE))])
      }
      expect(tableUnder(strategy.page, 'What send does')).to.deep.equal(rows)
    })
  }

  it('have a page each, and no other page is there but the decision and acknowledge', () => {
    const pages = [...STRATEGIES.map(({ page }) => page), 'README.md', 'acknowledge.md']
    expect(readdirSync(FOLDER).sort()).to.deep.equal(pages.sort())
  })

  it('have a message where acknowledge.md says when send resolves', async () => {
    const [heading, ...rows] = tableUnder('acknowledge.md', 'Who has it when send resolves')
    expect(heading).to.deep.equal(['acknowledge', 'state', 'off', 'on-outage', 'always'])
    const real: string[][] = []
    for (const acknowledge of ACKNOWLEDGE) {
      for (const name of ['both here', 'one away', 'both away']) {
        const state = STATES.find((one) => one.name === name)!
        const off = await play({ policy: 'block', mode: 'off' }, acknowledge, state)
        const onOutage = await play({ policy: 'journal', mode: 'on-outage' }, acknowledge, state)
        const always = await play({ policy: 'journal', mode: 'always' }, acknowledge, state)
        real.push([acknowledge, name, ...[off, onOutage, always].map(({ holders }) => holders || 'does not resolve')])
      }
    }
    expect(rows).to.deep.equal(real)
  })

  it('lose nothing that resolved when the process crashes; the outbox no second copy either', async () => {
    let resolved = 0
    for (const strategy of STRATEGIES) {
      for (const acknowledge of ACKNOWLEDGE) {
        for (const state of STATES) {
          if (!isThere(state, strategy)) continue
          const logs = await playCrash(strategy, acknowledge, state, 'there')
          if (logs === undefined) continue
          resolved++
          const least = strategy.mode === 'always' || acknowledge === 'both' ? 2 : 1
          expect(logs, `${strategy.page}, ${acknowledge}, ${state.name}`).to.be.at.least(least)
        }
      }
    }
    expect(resolved).to.be.greaterThan(0)
  })

  it('lose with the disk what it alone had, and nothing that a cluster had', async () => {
    const [here, bothAway] = ['both here', 'both away'].map((name) => STATES.find((state) => state.name === name)!)
    for (const mode of ['on-outage', 'always'] as const) {
      const pair = { policy: 'journal', mode } as const
      expect(await playCrash(pair, 'one', bothAway!, 'lost'), mode).to.equal(0)
      expect(await playCrash(pair, 'available', here!, 'lost'), mode).to.equal(2)
    }
  })

  it('tell by the events that the decision page names', async () => {
    const [, ...rows] = tableUnder('README.md', 'How a state shows')
    expect(rows.map(([name]) => name)).to.deep.equal(STATES.map(({ name }) => name))
    for (const [index, [name, told]] of rows.entries()) {
      const { events } = await play({ policy: 'journal', mode: 'on-outage' }, 'one', STATES[index]!)
      const named = told === '–' ? [] : told!.split(', ')
      // How a message ended is in the tables above; a client that does not come back shows only after a while.
      const ends = ['message-shed', 'message-undelivered', 'cluster-unreachable']
      const real = [...new Set(events)].filter((kind) => !ends.includes(kind))
      expect(real.sort(), name).to.deep.equal(named.sort())
    }
  })

  it('that have no page do what those do which they are put together from', async () => {
    for (const policy of ['reject', 'block'] as const) {
      const alone = { policy, mode: 'off' } as const
      for (const acknowledge of ACKNOWLEDGE) {
        for (const state of STATES) {
          const fate = async (mode: 'off' | 'on-outage' | 'dead-letter' | 'always'): Promise<string> =>
            (await play({ policy, mode }, acknowledge, state)).fate
          const what = `${policy}, ${acknowledge}, ${state.name}`
          const { fate: plain } = await play(alone, acknowledge, state)
          expect(await fate('on-outage'), `on-outage, ${what}`).to.equal(plain)
          if (policy === 'reject') expect((await fate('dead-letter')).replace(', kept', ''), what).to.equal(plain)
          // What is sent before anything is noticed, the disk has: else the policy decides as without it.
          const outbox = await play({ policy: 'journal', mode: 'always' }, acknowledge, state)
          const expected = state.name === 'both just went' ? outbox.fate : plain
          expect(await fate('always'), `always, ${what}`).to.equal(expected)
        }
      }
    }
  })

  it('are the legal pairs that the decision page names, and no other', () => {
    const [heading, ...rows] = tableUnder('README.md', 'Legal pairs')
    expect(heading).to.deep.equal(['whenBothAway.policy', ...MODES])
    expect(rows.map(([policy]) => policy)).to.deep.equal([...POLICIES])
    for (const [policy, ...cells] of rows) {
      for (const [index, cell] of cells.entries()) {
        expect(isAccepted(policy!, MODES[index]!), `${policy}, ${MODES[index]}`).to.equal(cell !== 'refused')
      }
    }
  })

  it('let a send that waits go as soon as one cluster is back, in order', async () => {
    const stage = new Stage()
    const ledger = await stage.producer('ledger', { options: { whenBothAway: { policy: 'block', timeoutMs: 60_000 } } })
    for (const cluster of [stage.east, stage.west]) cluster.hang()
    ledger.queue(1)
    await stage.pass(10_000)
    const waiting = ledger.queue(3)
    await stage.pass(20_000)
    expect(waiting.map(({ closedAtMs }) => closedAtMs)).to.deep.equal([undefined, undefined, undefined])
    stage.west.heal()
    await stage.pass(15_000)
    const counters = waiting.map(({ receipt }) => receipt?.position.counter)
    expect(counters).to.deep.equal([2, 3, 4])
    expect(waiting.every(({ receipt }) => receipt!.clusters['west'] !== undefined)).to.equal(true)
  })
})

function isThere(state: State, { mode }: Strategy): boolean {
  return state.onDisk !== true || mode === 'on-outage' || mode === 'always'
}

async function fates(
  state: State,
  strategies: readonly Strategy[],
  acknowledges: readonly (typeof ACKNOWLEDGE)[number][],
): Promise<string[]> {
  const all: string[] = []
  for (const strategy of strategies) {
    for (const acknowledge of acknowledges) {
      all.push(isThere(state, strategy) ? (await play(strategy, acknowledge, state)).fate : '–')
    }
  }
  return all
}

function isAccepted(policy: string, mode: string): boolean {
  try {
    new Producer({
      producerId: 'ledger',
      clusters: { east: { 'bootstrap.servers': 'east:9092' }, west: { 'bootstrap.servers': 'west:9092' } },
      whenBothAway: { policy: policy as (typeof POLICIES)[number] },
      journal: { mode: mode as (typeof MODES)[number], ...(mode === 'off' ? {} : { path: '/var/lib/ledger' }) },
    })
    return true
  } catch (error) {
    if (!isTandemError(error, 'TANDEM_OPTIONS_INVALID')) throw error
    expect(error.details['path']).to.equal('producer.whenBothAway.policy')
    return false
  }
}

const FOLDER = new URL('../../../docs/strategies/', import.meta.url)

/** The first table under a heading, with its first row; cells and the heading without code quotes and brackets. */
function tableUnder(page: string, heading: string): string[][] {
  const lines = readFileSync(new URL(page, FOLDER), 'utf8').split('\n')
  const plain = (text: string): string => text.replace(/[`'()]|^#+ /g, '').replace(/: /, ' ')
  const from = lines.findIndex((line) => line.startsWith('#') && plain(line) === heading)
  expect(from, `${page} has the heading ${heading}`).to.be.greaterThan(-1)
  const first = lines.findIndex((line, index) => index > from && line.startsWith('|'))
  const table: string[][] = []
  for (let index = first; lines[index]?.startsWith('|') === true; index++) {
    if (/^[|\s:-]+$/.test(lines[index]!)) continue
    const cells = lines[index]!.slice(1, lines[index]!.lastIndexOf('|')).split('|')
    table.push(cells.map((cell) => cell.trim().replaceAll('`', '')))
  }
  return table
}
