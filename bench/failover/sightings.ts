/** What a process wrote down: which message it had an answer about, or took, and when. */
import { existsSync } from 'node:fs'

import { isMessageNumber, LineFile, readLines } from '@tandem/cli/internal'

/** `atMs` is the machine's clock, which all processes of a run share. */
export interface Sighting {
  readonly atMs: number
  readonly number: number
}

export class SightingFile {
  readonly #file: LineFile

  constructor(path: string) {
    this.#file = new LineFile(path)
  }

  append(number: number): void {
    this.#file.append([Date.now(), number])
  }
}

/** In the order in which they were written down; none as long as there is no file. */
export async function readSightings(path: string): Promise<Sighting[]> {
  const sightings: Sighting[] = []
  if (!existsSync(path)) return sightings
  await readLines(path, asSighting, (sighting) => sightings.push(sighting))
  return sightings
}

function asSighting(line: unknown): Sighting | undefined {
  if (!Array.isArray(line)) return undefined
  const [atMs, number] = line as unknown[]
  return typeof atMs === 'number' && isMessageNumber(number) ? { atMs, number } : undefined
}
