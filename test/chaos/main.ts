import { runChaos } from './command.js'
import { SCENARIOS } from './scenarios.js'
import { Servers } from './servers.js'
import { Stage } from './stage.js'

// For the programs that this starts: each Kafka client occupies threads of the pool while it waits.
process.env['UV_THREADPOOL_SIZE'] ??= '16'

const servers = new Servers()

const code = await runChaos(
  process.argv.slice(2),
  SCENARIOS,
  async (scenario, say) => {
    const started = await servers.start(scenario.eastNodes ?? 1)
    return new Stage(scenario.name, started, say).run(scenario)
  },
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
)
await servers[Symbol.asyncDispose]()
// Left to itself, Node was once seen to wait for ever for something of its own when it tidied up.
process.stdout.write('', () => process.exit(code))
