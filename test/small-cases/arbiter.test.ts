import { logsUpTo } from './enumerate.js'
import { alphabet } from './log.js'
import { checkAll, checkEach, pairs } from './readings.js'
import { timings } from './timing.js'

/**
 * Every pair of small logs in every interleaving. What is delivered must be a function of the logs alone (I7, I1): a
 * counter is delivered, once (I2), if in some log its data comes before its void. What is not late must be in order
 * (I3), what is late must have been gone past by the rules, and nothing waits longer than they say (I8). Nothing may
 * pin an offset: once all is acknowledged and every hole is gone past, both feeds resume at their ends. And each record
 * that was read is accounted for (I6).
 */
const ONE_TO_THREE = [1, 2, 3].map((counter) => [counter, counter] as const)
const ONE_AND_TWO = ONE_TO_THREE.slice(0, 2)
/** Frames, and voids of several counters. */
const RUNS = [1, 2, 3].flatMap((last) => Array.from({ length: last }, (_, first) => [first + 1, last] as const))

describe('all small cases of the arbiter', function () {
  this.timeout(0)

  it('two logs of up to three records, counters 1 to 3, each interleaving in one of all timings', () => {
    const cases = checkEach(pairs(logsUpTo(3, alphabet([0], ONE_TO_THREE))))
    console.log(`      ${cases} cases; of six records there are ${timings(6, [1_000, 1], 2).length} timings`)
  })

  it('two logs of up to two records, counters 1 and 2, each interleaving in every timing', () => {
    console.log(`      ${checkAll(pairs(logsUpTo(2, alphabet([0], ONE_AND_TWO))))} cases`)
  })

  it('two logs of up to two records with runs of counters, each interleaving in one of all timings', () => {
    console.log(`      ${checkEach(pairs(logsUpTo(2, alphabet([0], RUNS))))} cases`)
  })

  it('two logs of up to two records of two epochs, one in two incarnations, in the same way', () => {
    console.log(`      ${checkEach(pairs(logsUpTo(2, alphabet([0, 1, 2], ONE_AND_TWO))))} cases`)
  })
})
