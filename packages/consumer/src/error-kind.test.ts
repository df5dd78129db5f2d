import { ShedError } from '@tandem/common'
import { expect } from 'chai'

import { errorKind } from './error-kind.js'

describe('error kind', () => {
  it('is the code of an error, or its name, or what it is instead of one', () => {
    const hostile = Object.defineProperty(new Error('x'), 'code', {
      get: () => {
        throw new Error('in a getter')
      },
    })
    for (const [error, kind] of [
      [Object.assign(new Error('no'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
      [new ShedError('no room'), 'TANDEM_SHED'],
      [Object.assign(new Error('no'), { code: 7 }), 'Error'],
      [new RangeError('no'), 'RangeError'],
      ['text', 'string'],
      [undefined, 'undefined'],
      [hostile, 'object'],
    ] as const) {
      expect(errorKind(error)).to.equal(kind)
    }
  })
})
