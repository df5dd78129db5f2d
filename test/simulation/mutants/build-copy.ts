import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { Edit } from './mutant.js'

/**
 * A copy of what is built of our packages and of the simulator, to be edited and run.
 *
 * It lies under node_modules, where all other packages are found from; its own packages lie in a node_modules of its
 * own and are found first.
 */
export class BuildCopy {
  static async make(): Promise<BuildCopy> {
    const cache = join(ROOT, 'node_modules', '.cache')
    await mkdir(cache, { recursive: true })
    const folder = await mkdtemp(join(cache, 'tandem-mutant-'))
    for (const name of PACKAGES) {
      const target = join(folder, 'node_modules', '@tandem', name)
      await cp(join(ROOT, 'packages', name, 'dist'), join(target, 'dist'), { recursive: true, filter: isCode })
      await cp(join(ROOT, 'packages', name, 'package.json'), join(target, 'package.json'))
    }
    await cp(join(ROOT, 'test', 'dist', 'simulation'), join(folder, 'simulation'), { recursive: true, filter: isCode })
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
    return new BuildCopy(folder)
  }

  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** The module that simulates seeds on request (seeds-process.ts). */
  get seedsProcess(): string {
    return join(this.#folder, 'simulation', 'seeds-process.js')
  }

  /** @throws Error if an edit does not apply: its text is to occur exactly once. */
  async apply(edits: readonly Edit[]): Promise<void> {
    for (const edit of edits) await writeFile(this.#pathOf(edit), (await this.#around(edit)).join(edit.replacement))
  }

  /** Whether they would apply, without doing it. @throws Error if not. */
  async check(edits: readonly Edit[]): Promise<void> {
    for (const edit of edits) await this.#around(edit)
  }

  /** What stands before and after the text. */
  async #around(edit: Edit): Promise<string[]> {
    const parts = (await readFile(this.#pathOf(edit), 'utf8')).split(edit.text)
    if (parts.length !== 2) throw new Error(`occurs ${parts.length - 1} times in ${edit.file}, not once: ${edit.text}`)
    return parts
  }

  #pathOf({ file }: Edit): string {
    return join(this.#folder, 'node_modules', '@tandem', file)
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function isCode(path: string): boolean {
  return !/\.(d\.ts|map|tsbuildinfo)$/.test(path) && !path.endsWith('.test.js')
}

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url))
const PACKAGES = ['common', 'level', 'producer', 'consumer']
