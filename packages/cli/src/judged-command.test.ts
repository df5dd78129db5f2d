import { expect } from 'chai'

import { runJudged, whole, WrongUsage, type Terminal } from './judged-command.js'

describe('a judged command', () => {
  const COMMAND = { name: 'weigh', usage: 'Usage: weigh\n', options: ['grams'], flags: ['quick'] }
  let out = ''
  let err = ''
  const terminal: Terminal = { out: (text) => (out += text), err: (text) => (err += text) }
  beforeEach(() => {
    out = ''
    err = ''
  })

  it('hands over what was given, and says how it went by its exit status', async () => {
    for (const good of [true, false]) {
      const status = await runJudged(COMMAND, ['--grams', '7', '--quick'], terminal, async (given, _seconds, flags) => {
        expect(given).to.deep.equal({ grams: '7' })
        expect([...flags]).to.deep.equal(['quick'])
        return { good, figures: {} }
      })
      expect(status).to.equal(good ? 0 : 1)
    }
    expect(out + err).to.equal('')
  })

  it('ends with one JSON object if asked to', async () => {
    await runJudged(COMMAND, ['--json'], terminal, async () => {
      terminal.out('weighed\n')
      return { good: true, figures: { grams: 7 } }
    })
    const last = JSON.parse(out.trimEnd().split('\n').at(-1)!) as object
    expect(last).to.include({ grams: 7 }).and.to.have.keys('grams', 'commit', 'seconds')
  })

  it('shows its usage when asked to, and 2 for what it does not understand', async () => {
    const never = async (): Promise<never> => {
      throw new Error('it was called')
    }
    expect(await runJudged(COMMAND, ['--help'], terminal, never)).to.equal(0)
    expect(out).to.equal(COMMAND.usage)
    for (const args of [['--what'], ['word'], ['--grams'], ['--quick=1']]) {
      expect(await runJudged(COMMAND, args, terminal, never), args.join(' ')).to.equal(2)
    }
    const wrong = async (): Promise<never> => {
      throw new WrongUsage('too light')
    }
    expect(await runJudged(COMMAND, [], terminal, wrong)).to.equal(2)
    expect(err).to.include('weigh: too light').and.to.include(COMMAND.usage)
  })

  it('takes whole numbers within their range only', () => {
    expect(whole('grams', '7', { min: 1, max: 9 })).to.equal(7)
    expect(whole('grams', undefined, { min: 1, max: 9 })).to.equal(undefined)
    for (const text of ['0', '10', '7.5', '-7', '', 'x', '0x7']) {
      expect(() => whole('grams', text, { min: 1, max: 9 }), text).to.throw(WrongUsage, `--grams ${text}`)
    }
  })
})
