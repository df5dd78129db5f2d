import { logsUpTo } from './enumerate.js'
import { alphabet, saysOneWord } from './log.js'
import { pairs } from './readings.js'
import { checkRestarts } from './restarts.js'

/**
 * Every pair of small logs, every interleaving and silence, every choice of what is acknowledged at once, and a crash
 * after each thing that happens: each message that the logs hold is delivered (I1), the same ones as without a crash
 * (I7), and again only if it was not acknowledged and flushed (I2). Where a transaction books what is acknowledged,
 * nothing comes again that it has booked.
 */
const ONE_AND_TWO = [
  [1, 1],
  [2, 2],
] as const
/** All that is acknowledged of a frame of five leaves three holes in it at most. */
const FRAMES = [
  [1, 5],
  [2, 4],
] as const

describe('all small cases of a restart', function () {
  this.timeout(0)

  it('two logs of up to two records of two epochs, each position once in a log, a crash at every point', () => {
    const logs = pairs(logsUpTo(2, alphabet([0, 1], ONE_AND_TWO)).filter(saysOneWord), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: 1, flushEvery: [1] })}`)
  })

  it('two logs of up to two records, and however many crashes one after the other', () => {
    const logs = pairs(logsUpTo(2, alphabet([0], ONE_AND_TWO)), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: Infinity, flushEvery: [1, 2, 3] })}`)
  })

  it('two logs of up to two records, frames of five among them, a crash at every point', () => {
    const logs = pairs(logsUpTo(2, alphabet([0], FRAMES)), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: 1, flushEvery: [1] })}`)
  })

  it('two logs of up to two records of two sequences, each position once in a log, up to two crashes, and a transaction books what is acknowledged', () => {
    const logs = pairs(logsUpTo(2, alphabet([0, 1], [[1, 1]])).filter(saysOneWord), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: 2, flushEvery: [1, 3], booking: true })}`)
  })
})
