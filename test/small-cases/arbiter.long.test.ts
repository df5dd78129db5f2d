import { logsUpTo } from './enumerate.js'
import { alphabet, saysOneWord } from './log.js'
import { checkEach, pairs } from './readings.js'

/** Two epochs, up to four records; what holds is said in arbiter.test.ts. */
const ONE_AND_TWO = [1, 2].map((counter) => [counter, counter] as const)
const TWO_EPOCHS = alphabet([0, 1], ONE_AND_TWO)

describe('all cases of the arbiter that are a little larger', function () {
  this.timeout(0)

  it('two logs of up to three records of two epochs, each interleaving in one of all timings', () => {
    console.log(`      ${checkEach(pairs(logsUpTo(3, TWO_EPOCHS), 'one way'))} cases`)
  })

  // With repetitions these would be a thousand million: here a log says one word on a position.
  it('two logs of up to four records of two epochs, each position once in a log', () => {
    console.log(`      ${checkEach(pairs(logsUpTo(4, TWO_EPOCHS).filter(saysOneWord), 'one way'))} cases`)
  })
})
