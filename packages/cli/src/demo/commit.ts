import { execFile } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The commit this was built from, `-dirty` if files differ from it; `unknown` outside of a clone. */
export async function commit(): Promise<string> {
  const folder = dirname(fileURLToPath(import.meta.url))
  return new Promise((resolve) => {
    execFile(
      'git',
      ['describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'],
      { cwd: folder, timeout: 10_000 },
      (error, stdout) => resolve(error === null && stdout.trim() !== '' ? stdout.trim() : 'unknown'),
    )
  })
}
