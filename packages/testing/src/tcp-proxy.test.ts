import { once } from 'node:events'
import { connect, createServer, Socket, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { freePort } from './free-ports.js'
import { TcpProxy } from './tcp-proxy.js'

describe('TcpProxy', () => {
  let server: Server
  let proxy: TcpProxy
  /** The server's ends of all connections, in the order of their coming. */
  let accepted: Socket[]
  beforeEach(async () => {
    accepted = []
    server = createServer({ allowHalfOpen: true }, (socket) => {
      accepted.push(socket)
      socket.on('error', () => {})
      socket.pipe(socket) // an echo
    })
    const target = await freePort()
    server.listen(target, '127.0.0.1')
    await once(server, 'listening')
    proxy = await TcpProxy.start({ target })
  })
  afterEach(async () => {
    await proxy.stop()
    for (const socket of accepted) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })

  it('passes everything both ways, in order, and the end too', async () => {
    const client = await Client.to(proxy.port)
    const sent = Buffer.alloc(5 << 20, 'in order ')
    client.socket.end(sent)
    await once(client.socket, 'end')
    expect(client.received.equals(sent)).to.equal(true)
    await until(() => proxy.connections === 0)
  })

  it('is slow: each way takes that long, and more bytes do not take longer', async () => {
    const client = await Client.to(proxy.port)
    await client.echo('quick')
    proxy.slow(100)
    const from = performance.now()
    await Promise.all([client.echo('a'.repeat(100_000)), sleep(10).then(() => client.echo('b'))])
    expect(performance.now() - from).to.be.at.least(200)
    expect(client.text).to.match(/^quicka{100000}b$/)
    proxy.pass()
    await client.echo('quick again')
  })

  it('stalls: connections stand, new ones too, and all goes on in order', async () => {
    const client = await Client.to(proxy.port)
    await client.echo('1')
    proxy.stall()
    client.socket.write('2')
    const late = await Client.to(proxy.port)
    late.socket.end('3')
    await sleep(100)
    expect([client.text, late.text]).to.deep.equal(['1', ''])
    proxy.pass()
    await client.echo('4')
    expect(client.text).to.equal('124')
    await until(() => late.text === '3' && late.socket.readableEnded)
  })

  it('leaves nothing behind of a connection that is cut while it is being shut down', async () => {
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
    const before = sockets()
    const client = await Client.to(proxy.port)
    await client.echo('1')
    const { end } = Socket.prototype
    Socket.prototype.end = function (this: Socket, ...args: unknown[]) {
      const result = Reflect.apply(end, this, args)
      process.nextTick(() => proxy.cut()) // libuv shuts it down in its next turn
      return result
    }
    try {
      Reflect.apply(end, client.socket, [])
      await until(() => proxy.connections === 0)
    } finally {
      Socket.prototype.end = end
    }
    for (const socket of [client.socket, ...accepted]) socket.destroy()
    await until(() => sockets() <= before)
  })

  it('holds a bounded amount while it is stalled', async () => {
    const client = await Client.to(proxy.port)
    proxy.stall()
    const block = Buffer.alloc(1 << 20)
    let sent = 0
    client.socket.write(block, () => (sent += 1))
    while (client.socket.writableLength < 64 << 20) client.socket.write(block, () => (sent += 1))
    await sleep(200)
    expect(sent).to.be.below(32) // its own MiB, and what the system holds in two sockets
    proxy.pass()
    await until(() => sent >= 64)
  })

  it('cuts: both sides are reset, and a new connection is let in', async () => {
    const client = await Client.to(proxy.port)
    await client.echo('1')
    let serverError: string | undefined
    accepted[0]!.on('error', ({ code }: NodeJS.ErrnoException) => (serverError = code))
    proxy.cut()
    await until(() => client.error === 'ECONNRESET' && serverError === 'ECONNRESET' && proxy.connections === 0)
    await (await Client.to(proxy.port)).echo('2')
  })

  it('refuses: connections are reset and new ones refused, until it accepts', async () => {
    const client = await Client.to(proxy.port)
    await client.echo('1')
    await proxy.refuse()
    await proxy.refuse()
    expect(await failure(Client.to(proxy.port))).to.equal('ECONNREFUSED')
    await until(() => client.error === 'ECONNRESET')
    await proxy.accept()
    await proxy.accept()
    await (await Client.to(proxy.port)).echo('2')
  })

  it('resets whoever comes while nobody listens behind it', async () => {
    await new Promise((resolve) => server.close(resolve))
    const client = await Client.to(proxy.port)
    await until(() => client.error === 'ECONNRESET')
  })
})

class Client {
  static async to(port: number): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const client = new Client(socket)
    await once(socket, 'connect')
    return client
  }

  readonly socket: Socket
  error: string | undefined
  readonly #chunks: Buffer[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => this.#chunks.push(bytes))
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code))
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get text(): string {
    return this.received.toString()
  }

  /** Until as much has come back as was sent so far. */
  async echo(text: string): Promise<void> {
    this.socket.write(text)
    const expected = this.socket.bytesWritten
    await until(() => this.socket.bytesRead >= expected)
  }
}

/** The test's own time limit says when it is too late. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(2)
}

function failure(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
}
