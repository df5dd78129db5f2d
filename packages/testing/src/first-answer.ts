import { connect } from 'node:net'

/** The first bytes that a server at a port of 127.0.0.1 answers to a greeting; none if it does not. */
export function firstAnswer(port: number, greeting: string | Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: ANSWER_TIMEOUT_MS })
    const answer = (bytes: Buffer): void => {
      socket.destroy()
      resolve(bytes)
    }
    socket.once('connect', () => socket.write(greeting))
    socket.once('data', answer)
    for (const event of ['timeout', 'error', 'end']) socket.once(event, () => answer(Buffer.alloc(0)))
  })
}

const ANSWER_TIMEOUT_MS = 1_000
