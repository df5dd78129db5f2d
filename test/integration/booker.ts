import { serve, type ServiceOptions } from '@tandem/examples/exactly-once/service'

/** One instance of the balances of the example, to be killed: `node booker.js '{"clusters": …}'`. */
const service = await serve(JSON.parse(process.argv[2]!) as ServiceOptions)
process.once('SIGTERM', () => void service.close())
