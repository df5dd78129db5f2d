import { expect } from 'chai'

import { Window } from './window.js'

describe('window', () => {
  it('is full at its bound in messages, and in bytes', () => {
    const window = new Window({ messagesMax: 2, bytesMax: 10 })
    window.take(1)
    expect(window.full).to.equal(false)
    window.take(1)
    expect(window.full).to.equal(true)
    window.give(1)
    expect(window.full).to.equal(false)
    window.take(9)
    expect(window.full).to.equal(true)
  })

  it('lets one message pass that is larger than all of it', () => {
    const window = new Window({ messagesMax: 2, bytesMax: 10 })
    expect(window.full).to.equal(false)
    window.take(1_000)
    expect(window.full).to.equal(true)
  })
})
