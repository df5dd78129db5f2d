import { expect } from 'chai'

import { printable, received } from './received.js'

class Journal {}

describe('received', () => {
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const shown: readonly [unknown, string][] = [
    ['5', '"5" (string)'],
    ['', '"" (string)'],
    [5, '5'],
    [-0, '-0'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [7n, 'a bigint'],
    [false, 'false'],
    [undefined, 'undefined'],
    [null, 'null'],
    [Symbol('x'), 'a symbol'],
    [() => 1, 'a function'],
    [{}, 'an object'],
    [Object.create(null), 'an object'],
    [[1, 2], 'an array of 2'],
    [Buffer.from('abc'), '3 bytes'],
    [new Map(), 'an instance of Map'],
    [new Journal(), 'an instance of Journal'],
    [{ constructor: 5 }, 'an object'],
    [revoked.proxy, 'an object'],
  ]
  for (const [value, text] of shown) {
    it(`says ${text}`, () => {
      expect(received(value)).to.equal(text)
    })
  }

  it('is bounded and stays on one line', () => {
    expect(received('a\nb\u001b[0m\u2028\u202e')).to.equal('"a.b.[0m.." (string)')
    expect(received('x'.repeat(1_000_000))).to.equal(`"${'x'.repeat(63)}…" (string)`)
    expect(printable('äöü€', 3)).to.equal('äö…')
    expect(printable('ab😀', 4)).to.equal('ab😀')
    expect(printable('ab😀c', 4)).to.equal('ab.…')
  })
})
