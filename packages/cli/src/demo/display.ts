import type { Output } from '../commands/command.js'
import type { Snapshot } from './snapshot.js'
import { formatProgress, formatTable } from './table.js'

/**
 * Shows snapshots while the demo runs: a table that is drawn over on a terminal, else a line every few seconds.
 */
export class Display {
  readonly #output: Output
  readonly #live: boolean
  #drawnLines = 0
  #nextAtMs = 0

  constructor(output: Output, options: { readonly live: boolean }) {
    this.#output = output
    this.#live = options.live
  }

  show(now: Snapshot): void {
    if (now.elapsedMs < this.#nextAtMs) return
    this.#nextAtMs = now.elapsedMs + (this.#live ? TABLE_EVERY_MS : LINE_EVERY_MS)
    if (this.#live) this.#draw(formatTable(now))
    else this.#output.write(`${formatProgress(now)}\n`)
  }

  /** A line that stays, above the table. */
  say(text: string): void {
    this.#erase()
    this.#output.write(`${text}\n`)
  }

  /** Leaves the table as it stands; the next output goes below it. */
  leave(): void {
    if (this.#drawnLines > 0) this.#output.write('\n')
    this.#drawnLines = 0
  }

  #draw(lines: readonly string[]): void {
    this.#erase()
    this.#output.write(`${lines.join('\n')}\n`)
    this.#drawnLines = lines.length
  }

  #erase(): void {
    // Up by what was drawn, to the line's start, and clear to the end of the screen.
    if (this.#drawnLines > 0) this.#output.write(`\u001b[${this.#drawnLines}F\u001b[J`)
    this.#drawnLines = 0
  }
}

const TABLE_EVERY_MS = 200
const LINE_EVERY_MS = 5000
