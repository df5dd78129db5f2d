import { expect } from 'chai'
import { RedisCluster } from './redis-cluster.js'
import { redisCommand } from './redis-command.js'

describe('RedisCluster', function () {
  this.timeout(30_000)

  it('is three nodes, each with a third of the slots', async () => {
    await using redis = await RedisCluster.start()
    expect(redis.addresses.map(({ port }) => port)).to.deep.equal(redis.nodes.map(({ port }) => port))
    const answers = await Promise.all(redis.nodes.map(({ port }) => redisCommand(port, 'SET {name} value')))
    expect(answers.filter((answer) => answer === '+OK')).to.have.length(1)
    const owner = redis.nodes[answers.indexOf('+OK')]!
    const moved = answers.filter((answer) => answer !== '+OK')
    for (const answer of moved) expect(answer).to.match(new RegExp(`^-MOVED \\d+ 127.0.0.1:${owner.port}$`))
  })

  it('is down while one node is away, and whole again when that is back, with what it kept', async () => {
    await using redis = await RedisCluster.start()
    const [node, other] = redis.nodes
    const name = await nameOf(node!.port)
    await redisCommand(node!.port, `SET ${name} value`)
    await node!.kill()
    const deadline = performance.now() + 10_000
    while (!(await redisCommand(other!.port, `GET ${name}`)).startsWith('-CLUSTERDOWN')) {
      expect(performance.now()).to.be.below(deadline)
    }
    await node!.restart()
    await redis.awaitWhole()
    expect(await redisCommand(node!.port, `GET ${name}`)).to.include('value')
  })
})

/** A key that a node has. */
async function nameOf(port: number): Promise<string> {
  for (let name = 0; ; name++) if ((await redisCommand(port, `GET ${name}`)) === '$-1') return String(name)
}
