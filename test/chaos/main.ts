import { runChaos } from './command.js'
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
    const started = await servers.start(scenario.eastNodes ?? 1)
    return new Stage(scenario, started, say).run(scenario)
  },
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
)
