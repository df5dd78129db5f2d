import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect } from 'chai'
import { freePorts } from './free-ports.js'

describe('freePorts', () => {
  it('gives different ports that can be listened on, and never one twice', async () => {
    const ports = [...(await freePorts(20)), ...(await freePorts(20))]
    expect(new Set(ports)).to.have.property('size', 40)
    for (const port of ports) {
      const server = createServer().listen(port, '127.0.0.1')
      await once(server, 'listening')
      server.close()
    }
  })

  it('stays below the ports that the system gives to outgoing connections', async function () {
    const range = '/proc/sys/net/ipv4/ip_local_port_range'
    const [first] = process.platform === 'linux' ? readFileSync(range, 'utf8').split(/\s+/) : ['49152']
    expect(Math.max(...(await freePorts(50)))).to.be.below(Number(first))
  })
})
