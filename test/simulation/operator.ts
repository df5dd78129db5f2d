import type { Skip } from './checkers/history.js'
import type { Prng } from './prng.js'
import type { SimulatedConsumer } from './simulated-consumer.js'
import type { World } from './world.js'

const LOOKS_EVERY_MS = 5_000
/** Of a group whose store is lost, what it had finished from the other log alone stands hole by hole: that is for a script. */
const SCRIPT_LOOKS_EVERY_MS = 200
/** While faults go on, one stall in so many is skipped at each look: mostly it pays to wait. */
const IMPATIENT_PERCENT = 10

/** A person who looks at streams that stand (`order: 'strict'`), and has some skipped; once faults are over, all. */
export class Operator {
  readonly skips: Skip[] = []
  /** Faults are over. */
  healing = false
  readonly #world: World
  readonly #prng: Prng
  readonly #living: () => Iterable<SimulatedConsumer>

  constructor(world: World, prng: Prng, living: () => Iterable<SimulatedConsumer>) {
    this.#world = world
    this.#prng = prng
    this.#living = living
    this.#lookAgain()
  }

  #look(): void {
    for (const consumer of this.#living()) {
      for (const { stalls } of consumer.consumer.status().partitions) {
        for (const stall of stalls) {
          if (!this.healing && !this.#prng.chance(IMPATIENT_PERCENT)) continue
          this.skips.push({ groupId: consumer.groupId, stream: stall.stream, atMs: this.#world.now })
          consumer.skip(stall)
        }
      }
    }
    this.#lookAgain()
  }

  #lookAgain(): void {
    this.#world.timeline.after(this.healing ? SCRIPT_LOOKS_EVERY_MS : LOOKS_EVERY_MS, () => this.#look())
  }
}
