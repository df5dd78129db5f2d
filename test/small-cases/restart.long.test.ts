import { logsUpTo } from './enumerate.js'
import { alphabet, saysOneWord } from './log.js'
import { pairs } from './readings.js'
import { checkRestarts } from './restarts.js'

/** Two epochs, up to four records, more crashes; what holds is said in restart.test.ts. */
const ONE_AND_TWO = [1, 2].map((counter) => [counter, counter] as const)
const TWO_EPOCHS = alphabet([0, 1], ONE_AND_TWO)
const FRAMES = [
  [1, 5],
  [1, 3],
  [4, 5],
] as const

describe('all cases of a restart that are a little larger', function () {
  this.timeout(0)

  it('two logs of up to two records of two epochs, a crash at every point', () => {
    const logs = pairs(logsUpTo(2, TWO_EPOCHS), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: 1, flushEvery: [1] })}`)
  })

  it('four records of two epochs in two logs, a crash at every point', () => {
    const four = [...pairs(logsUpTo(4, TWO_EPOCHS).filter(saysOneWord))].filter(
      ([east, west]) => east.length + west.length === 4,
    )
    console.log(`      ${checkRestarts(four, { crashesMax: 1, flushEvery: [1, 3] })}`)
  })

  it('two logs of up to two records of two epochs, and however many crashes one after the other', () => {
    const logs = pairs(logsUpTo(2, TWO_EPOCHS).filter(saysOneWord), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: Infinity, flushEvery: [1] })}`)
  })

  it('two logs of up to two records with frames, each position once in a log, up to two crashes', () => {
    const all = logsUpTo(2, alphabet([0], FRAMES))
    console.log(
      `      ${checkRestarts(pairs(all.filter(saysOneWord), 'one way'), { crashesMax: 2, flushEvery: [1, 3] })}`,
    )
  })

  it('two logs of up to two records of two epochs, up to two crashes, and a transaction books what is acknowledged', () => {
    const logs = pairs(logsUpTo(2, TWO_EPOCHS).filter(saysOneWord), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: 2, flushEvery: [1, 3], booking: true })}`)
  })

  it('two logs of up to two records of two sequences, up to two crashes, and a transaction books what is acknowledged', () => {
    const logs = pairs(logsUpTo(2, alphabet([0, 1], [[1, 1]])), 'one way')
    console.log(`      ${checkRestarts(logs, { crashesMax: 2, flushEvery: [1, 3], booking: true })}`)
  })
})
