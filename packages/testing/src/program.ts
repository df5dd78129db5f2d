import { constants } from 'node:fs'
import { access, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { ServiceMissingError } from '@tandem/common/internal'

/** What a program is, and what installs it. */
interface Package {
  readonly what: string
  readonly install: string
}

const POSTGRES = { what: 'PostgreSQL', install: 'apt-get install postgresql' } as const satisfies Package

/** The programs that this package runs. */
const PACKAGES = {
  java: { what: 'a Java 17 runtime', install: 'apt-get install openjdk-17-jre-headless' },
  openssl: { what: 'OpenSSL', install: 'apt-get install openssl' },
  initdb: POSTGRES,
  mvn: { what: 'Maven', install: 'apt-get install maven' },
  postgres: POSTGRES,
  'redis-server': { what: 'Redis', install: 'apt-get install redis-server' },
} as const satisfies Record<string, Package>

/**
 * The file that runs when `name` is typed. Java is taken from `JAVA_HOME` if that is set; PostgreSQL's programs also from
 * where Debian puts them, which is no folder of the path.
 *
 * @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: not there; the message names the command that installs it.
 */
export async function findProgram(
  name: keyof typeof PACKAGES,
  environment = process.env,
  postgresVersions = '/usr/lib/postgresql',
): Promise<string> {
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  if (PACKAGES[name] === POSTGRES) folders.push(...(await binFolders(postgresVersions)))
  if (name === 'java' && environment.JAVA_HOME) folders.unshift(join(environment.JAVA_HOME, 'bin'))
  for (const folder of folders) {
    const file = join(folder, name)
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return file
  }
  const { what, install } = PACKAGES[name]
  throw new ServiceMissingError(
    `${what} (the program ${name}) is not on the path; on Debian or Ubuntu this installs it: ${install}`,
    { program: name, install, searched: folders },
  )
}

/** One a version, newest first. */
async function binFolders(versionsFolder: string): Promise<string[]> {
  const versions = await readdir(versionsFolder).catch(() => [])
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(versionsFolder, version, 'bin'))
}
