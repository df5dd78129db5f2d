import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { invariant, ServiceFailedError } from '@tandem/common/internal'
import { exitText } from './guarded-process.js'
import { Guardian } from './guardian.js'
import { logTail } from './log-tail.js'
import { findProgram } from './program.js'

/** The folder with the jars of the Kafka that this package's `pom.xml` names (54 MB). @throws as `jarsOf` does. */
export function kafkaJars(environment = process.env): Promise<string> {
  return jarsOf(new URL('../pom.xml', import.meta.url), environment)
}

/**
 * The folder with the jars that a `pom.xml` names; fetched by Maven if it is not there yet.
 *
 * It lies in the folder that `TANDEM_CACHE` names, by default `~/.cache/tandem`, so that it serves every copy of this package.
 * It appears there whole or not at all: two processes may fetch at the same time, and the second keeps
 * what the first one put there. Its name carries a digest of `pom.xml`, so a changed list is a new folder.
 *
 * @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: no Maven or no Java, and the jars are not there.
 * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: Maven failed; with the end of what it said.
 */
export async function jarsOf(pomFile: URL, environment = process.env): Promise<string> {
  const pom = fileURLToPath(pomFile)
  const text = await readFile(pom, 'utf8')
  const name = /<artifactId>([^<]+)</.exec(text)?.[1]
  const version = /<kafka\.version>([^<]+)</.exec(text)?.[1]
  invariant(name !== undefined && version !== undefined, `${pom} names neither itself nor a Kafka version`)
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 8)
  const cache = environment.TANDEM_CACHE || join(homedir(), '.cache', 'tandem')
  const jars = join(cache, `${name}-${version}-${digest}`)
  if (!(await exists(jars))) await fetchJars({ pom, cache, jars, environment })
  return jars
}

async function fetchJars(where: {
  readonly pom: string
  readonly cache: string
  readonly jars: string
  readonly environment: NodeJS.ProcessEnv
}): Promise<void> {
  const { pom, cache, jars, environment } = where
  const maven = await findProgram('mvn', environment)
  await findProgram('java', environment)
  await mkdir(cache, { recursive: true })
  const guardian = Guardian.shared()
  const folder = await guardian.makeFolder('fetching-', cache)
  const logFile = join(folder, 'log')
  const fetched = join(folder, 'jars')
  try {
    const process = await guardian.spawn({
      command: maven,
      arguments: ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${fetched}`],
      folder,
      logFile,
      environment,
    })
    const exit = await guardian.hold(process.exited)
    if (exit.code !== 0) {
      throw new ServiceFailedError(
        `Maven could not fetch the jars of ${pom}: ${exitText(exit)}\nThe end of what it said:\n${await logTail(logFile)}`,
      )
    }
    await rename(fetched, jars).catch(async (error: unknown) => {
      if (!(await exists(jars))) throw error // else another process was faster, with the same jars
    })
  } finally {
    await guardian.removeFolder(folder)
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
