// Makes a fresh clone ready to run: what the machine lacks, dependencies, build. Fast when there is nothing to do.
//
//   node scripts/setup.mjs             what is needed to build (the demo, the scenarios)
//   node scripts/setup.mjs --system    what the tests need too: Redis, PostgreSQL, Java, Maven, Kafka's jars
//
// Plain Node without dependencies, since it runs before there are any. Everything it says goes to stderr: the last
// line on stdout belongs to the command that runs after it.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const NODE_MODULES = join(ROOT, 'node_modules')
/** Which lock file, Node and machine `node_modules` was installed for. Goes with it. */
const STAMP = join(NODE_MODULES, '.tandem-setup.json')

/** What of Debian's packages is needed, and how to see that it is there. */
const BUILD_PACKAGES = [
  { name: 'g++', isThere: () => isOnPath('g++') },
  { name: 'make', isThere: () => isOnPath('make') },
  { name: 'python3', isThere: () => isOnPath('python3') },
  { name: 'libssl-dev', isThere: () => hasHeader('openssl/ssl.h') },
  { name: 'zlib1g-dev', isThere: () => hasHeader('zlib.h') },
]
const TEST_PACKAGES = [
  { name: 'redis-server', isThere: () => isOnPath('redis-server') },
  { name: 'postgresql', isThere: () => isOnPath('postgres', postgresFolders()) },
  { name: 'maven', isThere: () => isOnPath('mvn') },
  // Newer releases of Debian have no Java 17; Kafka runs on their newer one as well.
  { name: 'openjdk-17-jre-headless', otherwise: 'default-jre-headless', isThere: () => javaVersion() >= 17 },
]

const system = process.argv.includes('--system')

checkNode()
const installing = readStamp() !== expectedStamp()
installPackages([...(installing ? BUILD_PACKAGES : []), ...(system ? TEST_PACKAGES : [])])
if (installing) installDependencies()
checkKafkaClient()
build()
if (system) await fetchKafka()

function checkNode() {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node).map(Number)
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number)
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return
  fail(`Node ${process.versions.node} is too old: ${engines.node} is needed.`)
}

function installPackages(packages) {
  const missing = packages.filter(({ isThere }) => !isThere())
  if (missing.length === 0) return
  const names = missing.map(({ name }) => name)
  if (!isOnPath('apt-get')) fail(`This machine lacks (by the names of Debian's packages): ${names.join(' ')}`)
  if (process.getuid?.() !== 0) {
    fail(`This machine lacks ${names.join(' ')}. This installs it:\n  sudo apt-get install ${names.join(' ')}`)
  }
  say(`installing ${names.join(' ')}`)
  run('apt-get', ['update', '-q'])
  const available = missing.map(({ name, otherwise }) => (otherwise && !isAvailable(name) ? otherwise : name))
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const installed = run('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...available], { env })
  const left = missing.filter(({ isThere }) => !isThere()).map(({ name }) => name)
  if (!installed || left.length > 0)
    fail(`apt-get install ${available.join(' ')} failed; this machine lacks ${left.join(' ')}`)
}

function installDependencies() {
  say('installing dependencies (node-rdkafka is compiled, which takes some minutes)')
  const env = withoutNpmRun(process.env)
  // In parallel, make looks for a header of librdkafka's before the step that makes it.
  env.JOBS = '1'
  delete env.MAKEFLAGS
  // node-gyp would download Node's headers; where the running Node came with them, that needs no internet.
  const prefix = dirname(dirname(process.execPath))
  if (existsSync(join(prefix, 'include', 'node', 'node.h'))) {
    env.npm_config_nodedir = prefix
    env.npm_package_config_node_gyp_nodedir = prefix // the same for an npm that passes on no settings but its own
  }
  const [npm, ...args] = npmCommand()
  if (!run(npm, [...args, 'ci', '--no-audit', '--no-fund'], { env })) {
    fail(
      'npm ci failed; what it said is above. It needs the npm registry (and, to compile node-rdkafka, Node’s headers: ' +
        'if their download failed, set npm_config_nodedir to a folder that has include/node).',
    )
  }
  writeFileSync(STAMP, expectedStamp())
}

function checkKafkaClient() {
  const required = ['ssl', 'sasl_scram']
  let features
  try {
    features = createRequire(import.meta.url)('node-rdkafka').features
  } catch (error) {
    fail(`node-rdkafka does not load (${error.message}). This compiles it again:\n  npm rebuild node-rdkafka`)
  }
  const lacking = required.filter((feature) => !features.includes(feature))
  if (lacking.length === 0) return
  fail(
    `node-rdkafka was compiled without ${lacking.join(' and ')}. This compiles it again, with them:\n` +
      '  apt-get install libssl-dev zlib1g-dev && npm rebuild node-rdkafka',
  )
}

function build() {
  if (!run(process.execPath, [join(NODE_MODULES, 'typescript', 'bin', 'tsc'), '-b'])) fail('The build failed.')
}

async function fetchKafka() {
  const { kafkaJars } = await import(pathToFileURL(join(ROOT, 'packages/testing/dist/internal.js')).href)
  try {
    await kafkaJars()
  } catch (error) {
    fail(error.message)
  }
}

function expectedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex')
  const { platform, arch, versions } = process
  return `${JSON.stringify({ lock, platform, arch, modules: versions.modules })}\n`
}

function readStamp() {
  return existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : ''
}

/** A running npm hands its own settings on; those that change what an install does are not meant for this one. */
function withoutNpmRun(environment) {
  const own =
    /^npm_(package_|lifecycle_|command$|config_(json|global|location|local_prefix|workspaces?|include|include_workspace_root|omit|production|dry_run|ignore_scripts|package_lock|package_lock_only|force|loglevel)$)/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !own.test(name)))
}

/** The npm that runs this, if one does. */
function npmCommand() {
  const { npm_execpath: path } = process.env
  return path?.endsWith('npm-cli.js') ? [process.execPath, path] : ['npm']
}

function isOnPath(program, otherFolders = []) {
  return [...(process.env.PATH ?? '').split(delimiter), ...otherFolders].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Debian puts PostgreSQL's programs into one folder a version, and into no folder of the path. */
function postgresFolders() {
  const versions = '/usr/lib/postgresql'
  return existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin')) : []
}

function hasHeader(header) {
  const { status } = spawnSync('g++', ['-E', '-x', 'c++', '-'], { input: `#include <${header}>\n`, stdio: 'pipe' })
  return status === 0
}

function javaVersion() {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java'
  const { stderr } = spawnSync(java, ['-version'], { encoding: 'utf8' })
  return Number(/version "(\d+)/.exec(stderr ?? '')?.[1] ?? 0)
}

function isAvailable(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' })
  return /Candidate: [^(]/.test(stdout ?? '')
}

function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], ...options })
  if (error) say(`${command}: ${error.message}`)
  return status === 0
}

function say(text) {
  console.error(`setup: ${text}`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
