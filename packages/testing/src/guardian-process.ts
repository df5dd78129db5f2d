/**
 * A process of its own that owns servers and their data folders on behalf of another process, and ends them all when
 * that one is gone, however it went: the channel between the two closes with the last of its owner, and a SIGKILL here
 * also reaches what is stopped.
 *
 * It starts the servers itself, so there is no moment in which one runs and nobody watches it, and it knows of
 * every exit first-hand, so it never signals a process number that has come to mean another process. It stands in
 * a session of its own, and so do its children: Ctrl-C goes to the owner alone.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Command, GuardianReport, GuardianRequest, ProcessSignal } from './guardian-message.js'

const children = new Map<number, ChildProcess>()
const folders = new Set<string>()

process.on('disconnect', () => void endAll())
process.on('uncaughtException', () => void endAll()) // no watch is worse than no server
process.on('message', (message) => void answer(message as GuardianRequest))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Whoever ends a whole process group or service means the owner; this one goes when the owner has gone.
  process.on(signal, () => {})
}

async function answer(request: GuardianRequest): Promise<void> {
  try {
    tell({ kind: 'done', request: request.request, ...(await execute(request)) })
  } catch (error) {
    tell({ kind: 'refused', request: request.request, reason: error instanceof Error ? error.message : String(error) })
  }
}

async function execute(request: GuardianRequest): Promise<{ folder?: string; pid?: number }> {
  switch (request.kind) {
    case 'make-folder': {
      const folder = mkdtempSync(join(request.parent, request.prefix))
      folders.add(folder)
      return { folder }
    }
    case 'remove-folder':
      await removeFolder(request.folder)
      folders.delete(request.folder)
      return {}
    case 'spawn':
      return { pid: await start(request) }
    case 'signal':
      await signal(request.pid, request.signal)
      return {}
    default:
      throw new Error(`no such request: ${JSON.stringify(request satisfies never)}`)
  }
}

function start(command: Command): Promise<number> {
  const log = openSync(command.logFile, 'a')
  try {
    const child = spawn(command.command, command.arguments, {
      cwd: command.folder,
      env: command.environment,
      // Its own process group, so that a signal also reaches what it forks (a Redis that writes a snapshot).
      detached: true,
      ...command.user,
      stdio: command.talks ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
    })
    const { pid } = child
    if (pid !== undefined) watch(pid, child)
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('spawn', () => resolve(child.pid as number))
    })
  } finally {
    closeSync(log)
  }
}

function watch(pid: number, child: ChildProcess): void {
  children.set(pid, child)
  child.on('message', (message) => tell({ kind: 'said', pid, message }))
  child.once('exit', (code, signal) => {
    children.delete(pid)
    tell({ kind: 'exited', pid, exit: { code, signal } })
  })
}

async function signal(pid: number, kind: ProcessSignal): Promise<void> {
  if (!children.has(pid)) throw new Error(`process ${pid} has ended`)
  switch (kind) {
    case 'hang':
      process.kill(-pid, 'SIGSTOP')
      return stopped(pid)
    case 'resume':
      process.kill(-pid, 'SIGCONT')
      return
    case 'kill':
      process.kill(-pid, 'SIGKILL')
      return ended(pid)
    case 'end':
      process.kill(-pid, 'SIGTERM')
      return
    default:
      throw new Error(`no such signal: ${String(kind satisfies never)}`)
  }
}

/** The signal is only a request to each thread; a thread in a disk operation stops when that is over. */
async function stopped(pid: number): Promise<void> {
  while (children.has(pid)) {
    if (threadStates(pid).every((state) => STOPPED_OR_DEAD.has(state))) return
    await sleep(2)
  }
  throw new Error(`process ${pid} ended instead of stopping`)
}

/** Linux says it thread by thread; elsewhere the signal is trusted. */
function threadStates(pid: number): string[] {
  if (process.platform !== 'linux') return []
  try {
    const tasks = `/proc/${pid}/task`
    return readdirSync(tasks).map((task) => {
      const stat = readFileSync(`${tasks}/${task}/stat`, 'utf8')
      return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) // the name before it may hold anything
    })
  } catch {
    return ['?'] // a thread ended while we were reading: look again
  }
}

async function ended(pid: number): Promise<void> {
  const child = children.get(pid)
  if (child !== undefined) await new Promise((resolve) => child.once('exit', resolve))
}

async function removeFolder(folder: string): Promise<void> {
  // What was killed a moment ago may still have a file coming into being; then the folder is not empty yet.
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

async function endAll(): Promise<void> {
  for (const pid of children.keys()) {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It ended by itself in this moment.
    }
  }
  await Promise.race([Promise.all([...children.keys()].map(ended)), sleep(EXITS_WAIT_MS)])
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  process.exit(0)
}

function tell(report: GuardianReport): void {
  // The owner may be gone before we hear of it; that is for the disconnect to say.
  if (process.connected) process.send?.(report, undefined, undefined, () => {})
}

const STOPPED_OR_DEAD: ReadonlySet<string> = new Set(['T', 't', 'Z', 'X', 'x'])

/** A killed process is gone in milliseconds, unless the disk holds it; its folder goes anyway. */
const EXITS_WAIT_MS = 5_000
