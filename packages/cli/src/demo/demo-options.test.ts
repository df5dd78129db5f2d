import { isTandemError } from '@tandem/common'
import { expect } from 'chai'

import { readDemoOptions } from './demo-options.js'

describe('demo options', () => {
  const refusal = (...args: string[]): string => {
    try {
      readDemoOptions(args)
    } catch (error) {
      expect(isTandemError(error, 'TANDEM_OPTIONS_INVALID')).to.equal(true)
      return (error as Error).message
    }
    return 'accepted'
  }

  it('have defaults: the embedded clusters, one of them hung', () => {
    expect(readDemoOptions([])).to.deep.equal({
      messages: 40_000,
      rate: 1000,
      kafka: false,
      fault: 'hang',
      json: false,
    })
  })

  it('kill a real cluster by default', () => {
    expect(readDemoOptions(['--kafka']).fault).to.equal('kill')
    expect(readDemoOptions(['--kafka', '--fault', 'hang']).fault).to.equal('hang')
  })

  it('are read as given', () => {
    const args = ['--messages', '160000', '--rate=4000', '--kafka', '--fault', 'none', '--json']
    expect(readDemoOptions(args)).to.deep.equal({
      messages: 160_000,
      rate: 4000,
      kafka: true,
      fault: 'none',
      json: true,
    })
  })

  it('refuse to kill an embedded cluster, and say why', () => {
    expect(refusal('--fault', 'kill')).to.contain('needs --kafka').and.to.contain('loses its log')
  })

  it('refuse more messages than an embedded cluster keeps', () => {
    expect(refusal('--messages', '1000000')).to.contain('1000000').and.to.contain('--kafka')
    expect(readDemoOptions(['--messages', '1000000', '--kafka']).messages).to.equal(1_000_000)
  })

  it('refuse anything else, naming what was received and what is allowed', () => {
    expect(refusal('--nonsense')).to.contain("Unknown option '--nonsense'")
    expect(refusal('stray')).to.contain('stray')
    expect(refusal('--rate')).to.contain('--rate')
    expect(refusal('--rate', '0')).to.contain('"0"').and.to.contain('from 1 to')
    expect(refusal('--rate', '1e3')).to.contain('"1e3"')
    expect(refusal('--messages', '-5')).to.contain('--messages')
    expect(refusal('--messages=2')).to.contain('from 3 to')
    expect(refusal('--fault', 'burn')).to.contain('"burn"').and.to.contain('kill, hang or none')
    expect(refusal('--json=yes')).to.contain('--json')
  })
})
