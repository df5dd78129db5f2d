import { expect } from 'chai'

import { LogCheck, type CheckVerdict } from './log-check.js'
import { chained, type Mark } from './marks.js'

/** Marks of a log as text, one letter a record, behind these offsets. */
function marksOf(log: string, at: readonly number[]): Mark[] {
  return at.map((offset) => {
    let digest = 0
    for (const letter of log.slice(0, offset + 1)) digest = chained(digest, letter.charCodeAt(0))
    return { offset, digest }
  })
}

/** Compares with a log as text; `_` is a record below its start. */
function check(
  marks: readonly Mark[],
  log: string,
  known: { readonly start?: number; readonly end?: number } = {},
): CheckVerdict & { readonly reads: number } {
  const start = log.lastIndexOf('_') + 1
  const checking = new LogCheck(marks, { start, ...known })
  let at = checking.takeSeek() ?? 0
  let reads = 0
  while (checking.verdict === undefined) {
    expect(checking.offset).to.equal(at)
    reads++
    if (at >= log.length) checking.handleEnd(log.length)
    else checking.handleRecord(at, log.charCodeAt(at))
    at = checking.takeSeek() ?? at + 1
  }
  return { ...checking.verdict, reads }
}

describe('log check', () => {
  const was = 'abcdefghijklmnop'
  const marks = marksOf(was, [-1, 3, 9, 13, 15])

  it('believes a log in which all is what it was', () => {
    expect(check(marks, was)).to.deep.equal({ kind: 'same', reads: 16 })
    expect(check(marks, `${was}qrst`)).to.deep.equal({ kind: 'same', reads: 16 })
  })

  it('finds the newest mark up to which it is the same', () => {
    for (const known of [{}, { end: 21 }]) {
      expect(check(marks, 'abcdefghijklXYZXYZXYZ', known)).to.include({ kind: 'changed', from: 10 })
      expect(check(marks, 'abcXYZXYZXYZXYZXYZXYZ', known)).to.include({ kind: 'changed', from: undefined })
      // The same records once more, at their old places, behind one that is another.
      expect(check(marks, 'abcdefghijkXmnopqrstu', known)).to.include({ kind: 'changed', from: 10 })
    }
    for (const known of [{}, { end: 12 }]) {
      expect(check(marks, 'abcdefghijkl', known)).to.include({ kind: 'changed', from: 10 })
    }
    for (const known of [{}, { end: 0 }])
      expect(check(marks, '', known)).to.include({ kind: 'changed', from: undefined })
  })

  it('reads no more than a thousand records, unless the change lies before them', () => {
    const long = Array.from({ length: 5_000 }, (_, index) => String.fromCharCode(97 + (index % 23))).join('')
    const far = marksOf(long, [-1, 2_000, 3_500, 4_500, 4_999])
    expect(check(far, long)).to.deep.equal({ kind: 'same', reads: 499 })
    const changed = `${long.slice(0, 3_000)}X${long.slice(3_001)}`
    expect(check(far, changed), 'more than a thousand lie behind it').to.include({ kind: 'same' })
    const shorter = `${long.slice(0, 3_000)}X`
    expect(check(far, shorter, { end: shorter.length })).to.include({ kind: 'changed', from: 2_001 })
    expect(check(far, shorter)).to.include({ kind: 'changed', from: 2_001 })
  })

  it('begins where the log begins, and says nothing where too little is left of it', () => {
    expect(check(marks, '____efghijklmnop')).to.include({ kind: 'same' })
    expect(check(marks, '____efghijklXYZX')).to.include({ kind: 'changed', from: 10 })
    expect(check(marks, '__________klmnXY')).to.include({ kind: 'changed', from: 14 })
    expect(check(marks, '______________XY')).to.include({ kind: 'changed', from: undefined })
    expect(check(marks, '________________')).to.deep.equal({ kind: 'same', reads: 0 })
    expect(
      check(marksOf(was, [3, 9, 15]), '____________mnXX'),
      'all but the newest lie before its start',
    ).to.deep.equal({
      kind: 'unknown',
      from: 12,
      reads: 0,
    })
    expect(check([], 'XYZ')).to.deep.equal({ kind: 'same', reads: 0 })
    expect(check(marksOf(was, [15]), 'abc', { end: 3 })).to.deep.equal({ kind: 'changed', from: undefined, reads: 0 })
  })
})
