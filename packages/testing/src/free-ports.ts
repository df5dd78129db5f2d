import { randomInt } from 'node:crypto'
import { connect, createServer } from 'node:net'
import { invariant, ServiceFailedError } from '@tandem/common/internal'

/**
 * Ports of 127.0.0.1 on which nothing listens now.
 *
 * They lie below the range from which the system draws ports for outgoing connections (32768 and up on Linux, 49152
 * and up elsewhere): a client that knocks at a dead server's port in that range sooner or later connects to itself,
 * and the server can then never come back there. No port is given twice by one process; two processes that ask at the same
 * moment may still draw the same one.
 *
 * @param count how many, all different.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = randomInt(PORT_MIN, PORT_MAX + 1)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    ports.push(port)
  }
  return ports
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  invariant(port !== undefined, 'one free port was asked for and none came')
  return port
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** Whether something accepts connections at a port of 127.0.0.1. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/**
 * Before a server is started at a port: what is there already would answer in its place.
 *
 * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`
 */
export async function expectFree(port: number): Promise<void> {
  if (await accepts(port)) throw new ServiceFailedError(`port ${port} of 127.0.0.1 is in use`, { port })
}

const given = new Set<number>()

/** Above the ports that well-known servers listen on by default. */
const PORT_MIN = 20_000
const PORT_MAX = 32_000
