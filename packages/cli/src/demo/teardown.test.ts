import { expect } from 'chai'

import { Teardown } from './teardown.js'

describe('teardown', () => {
  it('ends everything in reverse order, once, whatever fails', async () => {
    const ended: string[] = []
    const teardown = new Teardown()
    teardown.add(() => ended.push('first'))
    teardown.add(async () => {
      ended.push('second')
      throw new Error('stuck')
    })
    teardown.add(async () => ended.push('third'))
    expect((await teardown.run()).map(String)).to.deep.equal(['Error: stuck'])
    expect(ended).to.deep.equal(['third', 'second', 'first'])
    expect(await teardown.run()).to.deep.equal([])
    expect(ended).to.have.length(3)
  })
})
