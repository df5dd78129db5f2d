import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The commit that this was built from, `-dirty` if files differ from it; `unknown` outside of a clone. */
export function commit(): Promise<string> {
  const options = { cwd: dirname(fileURLToPath(import.meta.url)), timeout: 10_000 }
  return new Promise((resolve) => {
    execFile('git', ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'], options, (error, stdout) => {
      resolve(error === null && stdout.trim() !== '' ? stdout.trim() : 'unknown')
    })
  })
}
