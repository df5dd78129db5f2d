import { expect } from 'chai'

import { MessageNumbers, valueOf } from '../consume/message-numbers.js'
import { isEven } from './group.js'

describe('bench of scale: a group', () => {
  it('is even when all partitions are held and nobody has two more than another', () => {
    expect(isEven([8], 8)).to.equal(true)
    expect(isEven([3, 3, 2], 8)).to.equal(true)
    expect(isEven([4, 2, 2], 8)).to.equal(false)
    expect(isEven([3, 2, 2], 8)).to.equal(false)
  })

  it('has taken what its instances have, and shows what two of them took', () => {
    const group = new MessageNumbers(4)
    for (const taken of [
      [0, 1],
      [1, 3],
    ]) {
      const instance = new MessageNumbers(4)
      for (const number of taken) instance.take(valueOf(number, 100))
      group.add(instance)
    }
    expect([group.taken, group.different, group.missing()]).to.deep.equal([4, 3, 1])
  })
})
