import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { once } from 'node:events'

/**
 * Stands before a cluster of one broker and changes what it says of its brokers: they are where the proxy listens, or,
 * while `fenced`, there are none. That is what a cluster answers whose brokers are all fenced, for as long as it takes
 * them to be unfenced: too short a time to be met by waiting for it.
 */
export class MetadataProxy {
  /** Whether the answers name no broker. */
  fenced = false
  /** Answers that named none. */
  namedNone = 0
  readonly #target: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (client) => this.#handleClient(client))
  }

  /** @param target the broker's port of 127.0.0.1. */
  static async start(target: number): Promise<MetadataProxy> {
    const proxy = new MetadataProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #handleClient(client: Socket): void {
    const broker = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    /** API keys of the questions whose answers are changed, by correlation id. */
    const asked = new Map<number, number>()
    for (const [from, to] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
    eachFrame(client, (frame) => {
      const key = frame.readInt16BE(4)
      if (key === METADATA || key === FIND_COORDINATOR) asked.set(frame.readInt32BE(8), key)
      broker.write(frame)
    })
    eachFrame(broker, (frame) => {
      const id = frame.readInt32BE(4)
      const key = asked.get(id)
      asked.delete(id)
      if (key === FIND_COORDINATOR) frame.writeInt32BE(this.port, frame.length - 4) // version 2: it comes last
      client.write(key === METADATA ? this.#changed(frame) : frame)
    })
  }

  /** Metadata of a flexible version (9 and later), up to its brokers: librdkafka asks for no other. */
  #changed(frame: Buffer): Buffer {
    const count = frame.readUInt8(BROKERS_AT) - 1
    let at = BROKERS_AT + 1
    for (let broker = 0; broker < count; broker++) {
      at += 4 // id
      at += frame.readUInt8(at) // host: its length and 1, then so many bytes
      frame.writeInt32BE(this.port, at)
      at += 4
      at += Math.max(1, frame.readUInt8(at)) // rack, perhaps none
      at += 1 // no tags
    }
    if (!this.fenced) return frame
    this.namedNone++
    const changed = Buffer.concat([frame.subarray(0, BROKERS_AT), Buffer.from([1]), frame.subarray(at)])
    changed.writeInt32BE(changed.length - 4, 0)
    return changed
  }
}

/** Requests and answers: a length in 4 bytes, then so many. */
function eachFrame(socket: Socket, handle: (frame: Buffer) => void): void {
  let waiting = Buffer.alloc(0)
  socket.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes])
    while (waiting.length >= 4 && waiting.length >= 4 + waiting.readInt32BE(0)) {
      const length = 4 + waiting.readInt32BE(0)
      handle(waiting.subarray(0, length))
      waiting = waiting.subarray(length)
    }
  })
}

/** API keys. */
const METADATA = 3
const FIND_COORDINATOR = 10
/** Behind length, correlation id, no tags, and the time for which the client is throttled. */
const BROKERS_AT = 4 + 4 + 1 + 4
