import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './free-ports.js'

/**
 * A TCP proxy for one port of 127.0.0.1: what a network does to connections, for a server that knows nothing of it.
 *
 * ```ts
 * await using proxy = await TcpProxy.start({ target: 9092 })
 * proxy.slow(200)      // every byte comes 200 ms later, each way
 * proxy.stall()        // connections stand and take new ones in, nothing passes
 * proxy.pass()         // what stood goes on, in order
 * proxy.cut()          // every connection ends with a reset; new ones are let in
 * await proxy.refuse() // the same, and new ones are refused, until …
 * await proxy.accept()
 * ```
 *
 * It holds at most about 1 MiB per connection and way: beyond that it reads no more, and the sender's window
 * fills, as with a real network.
 */
export class TcpProxy implements AsyncDisposable {
  /**
   * @param options.target the port of 127.0.0.1 that connections are passed on to; nobody need listen there yet.
   * @param options.port where to listen; a free port if left out.
   */
  static async start(options: { readonly target: number; readonly port?: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(options.port ?? (await freePort()), options.target)
    await proxy.accept()
    return proxy
  }

  /** The same for as long as the proxy exists. */
  readonly port: number
  readonly #target: number
  readonly #connections = new Set<Connection>()
  #server: Server | undefined
  #passing: Passing = { kind: 'passing' }

  private constructor(port: number, target: number) {
    this.port = port
    this.#target = target
  }

  /** How many connections stand now. */
  get connections(): number {
    return this.#connections.size
  }

  /** Everything passes at once. */
  pass(): void {
    this.#become({ kind: 'passing' })
  }

  /** Everything passes, `delayMs` later each way. */
  slow(delayMs: number): void {
    this.#become({ kind: 'slow', delayMs })
  }

  /** Nothing passes. What was on its way arrives after `pass()`, also if its sender has given up meanwhile. */
  stall(): void {
    this.#become({ kind: 'stalled' })
  }

  /** Ends every connection with a reset towards both sides. What was on its way is lost. */
  cut(): void {
    for (const connection of this.#connections) connection.cut()
  }

  /** Cuts every connection, and has the system refuse new ones. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    const closed = server === undefined ? undefined : once(server, 'close')
    server?.close()
    this.cut()
    await closed
  }

  /** Takes connections (again). */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#handleClient(client))
    this.#server = server
    server.listen({ port: this.port, host: '127.0.0.1' })
    await once(server, 'listening')
  }

  /** Ends it, and every connection with it. */
  stop(): Promise<void> {
    return this.refuse()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #become(passing: Passing): void {
    this.#passing = passing
    for (const connection of this.#connections) connection.become(passing)
  }

  #handleClient(client: Socket): void {
    const server = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const connection = new Connection(client, server, () => this.#connections.delete(connection))
    this.#connections.add(connection)
    connection.become(this.#passing)
  }
}

type Passing =
  { readonly kind: 'passing' } | { readonly kind: 'slow'; readonly delayMs: number } | { readonly kind: 'stalled' }

/** A client's connection to the proxy, and the proxy's to the server. */
class Connection {
  readonly #sockets: readonly [Socket, Socket]
  readonly #ways: readonly [OneWay, OneWay]
  readonly #handleEnded: () => void

  constructor(client: Socket, server: Socket, handleEnded: () => void) {
    this.#sockets = [client, server]
    this.#ways = [new OneWay(client, server), new OneWay(server, client)]
    this.#handleEnded = handleEnded
    for (const socket of this.#sockets) {
      socket.once('error', () => this.cut()) // a server that is not there is, through a proxy, a reset
      socket.once('close', () => {
        if (this.#sockets.every(({ destroyed }) => destroyed)) this.#handleEnded()
      })
    }
  }

  become(passing: Passing): void {
    for (const way of this.#ways) way.become(passing)
  }

  cut(): void {
    for (const way of this.#ways) way.stop()
    for (const socket of this.#sockets) {
      // libuv resets nothing that is just being shut down, and Node then takes it for closed: it would stay for ever.
      if (socket.writableEnded && !socket.writableFinished) socket.destroy()
      else socket.resetAndDestroy()
    }
  }
}

/** What goes from one socket to the other, in order: bytes, and at last the end. */
class OneWay {
  readonly #from: Socket
  readonly #to: Socket
  /** What was read and is not passed on yet; undefined is the end. */
  #waiting: { readonly bytes: Buffer | undefined; readonly readAt: number }[] = []
  #waitingBytes = 0
  #passing: Passing = { kind: 'stalled' }
  #timer: NodeJS.Timeout | undefined

  constructor(from: Socket, to: Socket) {
    this.#from = from
    this.#to = to
    from.on('data', (bytes: Buffer) => this.#take(bytes))
    from.once('end', () => this.#take(undefined))
    to.on('drain', () => this.#pump())
  }

  become(passing: Passing): void {
    this.#passing = passing
    this.#pump()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#waiting = []
  }

  #take(bytes: Buffer | undefined): void {
    this.#waiting.push({ bytes, readAt: performance.now() })
    this.#waitingBytes += bytes?.length ?? 0
    this.#pump()
  }

  #pump(): void {
    clearTimeout(this.#timer)
    while (this.#waiting.length > 0 && this.#passing.kind !== 'stalled' && !this.#to.writableNeedDrain) {
      const { bytes, readAt } = this.#waiting[0]!
      const leftMs = this.#passing.kind === 'slow' ? readAt + this.#passing.delayMs - performance.now() : 0
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), Math.ceil(leftMs))
        break
      }
      this.#waiting.shift()
      this.#waitingBytes -= bytes?.length ?? 0
      if (bytes === undefined) this.#to.end()
      else this.#to.write(bytes)
    }
    if (this.#waitingBytes < WAITING_BYTES_MAX) this.#from.resume()
    else this.#from.pause()
  }
}

/** More than a broker's answers of a second at the rates of our tests, so that a delay is no limit of throughput. */
const WAITING_BYTES_MAX = 1 << 20
