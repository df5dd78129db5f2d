import { checkEveryRow, STORIES } from './acknowledgements.js'
import { logsUpTo } from './enumerate.js'
import { alphabet, saysOneWord } from './log.js'
import { checkEach, pairs } from './readings.js'
import { checkRestarts } from './restarts.js'

/** The same, larger: two epochs, up to four records. What holds is said in the files without `long`. */
const TWO_EPOCHS = alphabet(
  [0, 1],
  [
    [1, 1],
    [2, 2],
  ],
)
const FRAMES = [
  [1, 5],
  [1, 3],
  [4, 5],
] as const

describe('all cases that are a little larger', function () {
  this.timeout(0)

  it('two logs of up to three records of two epochs, each interleaving in one of all timings', () => {
    console.log(`      ${checkEach(pairs(logsUpTo(3, TWO_EPOCHS), 'one way'))} cases`)
  })

  // With repetitions these would be a thousand million: here a log says one word on a position.
  it('two logs of up to four records of two epochs, each position once in a log', () => {
    console.log(`      ${checkEach(pairs(logsUpTo(4, TWO_EPOCHS).filter(saysOneWord), 'one way'))} cases`)
  })

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

  for (const story of STORIES) {
    it(`three deliveries, ${story.name}: every row of four acts, and a crash after each`, async () => {
      const { crashes, positions } = await checkEveryRow(story, 4)
      console.log(`      ${crashes} crashes, which left ${positions} positions`)
    })
  }
})
