import { expect } from 'chai'

import * as errors from './errors.js'
import {
  ERRORS,
  FailedError,
  FencedError,
  InvariantError,
  invariant,
  isTandemError,
  OptionsInvalidError,
  RefusedError,
  ShedError,
  TandemError,
  UndeliveredError,
  UsageError,
} from './errors.js'

describe('errors', () => {
  it('have one code each, of one form', () => {
    const codes = ERRORS.map(({ code }) => code)
    expect(new Set(codes).size).to.equal(codes.length)
    for (const code of codes) expect(code).to.match(/^TANDEM(_[A-Z]+)+$/)
  })

  it('are named after their codes', () => {
    for (const { name, code } of ERRORS) {
      const words = name.replace(/Error$/, '').replace(/(?!^)[A-Z]/g, '_$&')
      expect(code).to.equal(`TANDEM_${words.toUpperCase()}`)
    }
  })

  it('are all in the list', () => {
    const concrete = Object.values(errors).filter(
      (value) => typeof value === 'function' && value.prototype instanceof TandemError && Object.hasOwn(value, 'code'),
    )
    expect(concrete).to.have.members([...ERRORS])
  })

  it('belong to one of the five families', () => {
    for (const error of ERRORS) {
      const families = [UsageError, RefusedError, FailedError, FencedError].filter(
        (family) => error.prototype instanceof family,
      )
      expect(families.length, error.name).to.equal((error as unknown) === InvariantError ? 0 : 1)
    }
  })

  it('take code and name from their class, and keep figures and cause', () => {
    const cause = new Error('because')
    const error = new OptionsInvalidError('five is too many', { received: 5 }, cause)
    expect(error).to.include({ name: 'OptionsInvalidError', code: 'TANDEM_OPTIONS_INVALID', retriable: false })
    expect(error.details).to.deep.equal({ received: 5 })
    expect(error.cause).to.equal(cause)
    expect(error.stack).to.include('five is too many')
    expect('cause' in new OptionsInvalidError('no cause')).to.equal(false)
  })

  it('say whether a message may yet be delivered', () => {
    expect(new ShedError('no cluster')).to.include({ outcome: 'not-written', retriable: true })
    expect(new UndeliveredError('gave up', 'unknown')).to.include({ outcome: 'unknown', retriable: true })
    expect(new UndeliveredError('gave up', 'not-written')).to.include({ outcome: 'not-written' })
  })

  it('are recognised by brand, also those of another copy of this package', () => {
    const foreign = Object.assign(new Error('from elsewhere'), {
      [Symbol.for('tandem.error')]: true,
      code: 'TANDEM_SHED',
    })
    expect(isTandemError(foreign)).to.equal(true)
    expect(isTandemError(foreign, 'TANDEM_SHED')).to.equal(true)
    expect(isTandemError(foreign, 'TANDEM_CLOSED')).to.equal(false)
    expect(isTandemError(new ShedError('no cluster'), 'TANDEM_SHED')).to.equal(true)
  })

  it('recognise nothing else, and never throw over it', () => {
    for (const value of [undefined, null, 5, 'TANDEM_SHED', new Error('x'), { code: 'TANDEM_SHED' }, () => 1]) {
      expect(isTandemError(value)).to.equal(false)
    }
  })

  it('report a broken invariant with its figures', () => {
    expect(() => invariant(true, 'fine')).to.not.throw()
    expect(() => invariant(false, 'counter ran back', { from: 2, to: 1 }))
      .to.throw(InvariantError, 'counter ran back')
      .with.deep.property('details', { from: 2, to: 1 })
  })
})
