import { playBacklog } from './backlog-stage.js'
import { runChaos } from './command.js'
import { playFlood } from './flood-stage.js'
import { SCENARIOS } from './scenarios.js'
import { Servers } from './servers.js'
import { Stage } from './stage.js'

// For the programs that this starts: each Kafka client occupies threads of the pool while it waits.
process.env['UV_THREADPOOL_SIZE'] ??= '16'

await using servers = new Servers()

process.exitCode = await runChaos(
  process.argv.slice(2),
  SCENARIOS,
  async (scenario, say) => {
    if ('floodSeconds' in scenario) return playFlood(scenario, say)
    if ('backlog' in scenario) return playBacklog(scenario, (await servers.startRedis()).url, say)
    const started = await servers.start({ east: scenario.eastNodes ?? 1, west: scenario.westNodes ?? 1 })
    const postgres = scenario.database === 'postgres' ? await servers.startPostgres() : undefined
    return new Stage(scenario, { ...started, postgres }, say).run()
  },
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
)
