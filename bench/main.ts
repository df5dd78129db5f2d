import { fileURLToPath } from 'node:url'

import { runBench } from './command.js'
import { consumeSuite } from './consume/suite.js'
import { dedupSuite } from './dedup/suite.js'
import { failoverSuite } from './failover/suite.js'
import { microSuite } from './micro/suite.js'
import { outageSuite } from './outage/suite.js'
import { scaleSuite } from './scale/suite.js'
import { sendSuite } from './send/suite.js'

// For the programs that this starts: each Kafka client occupies threads of the pool while it waits.
process.env['UV_THREADPOOL_SIZE'] ??= '16'

process.exitCode = await runBench(
  process.argv.slice(2),
  [sendSuite, consumeSuite, dedupSuite, outageSuite, failoverSuite, scaleSuite, microSuite],
  fileURLToPath(new URL('../results', import.meta.url)),
  { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) },
)
