import { DEMO_USAGE, readDemoOptions } from '../demo/demo-options.js'
import { runDemo } from '../demo/demo.js'
import type { Command } from './command.js'

export const demo: Command = {
  usage: DEMO_USAGE,
  prepare(args) {
    const options = readDemoOptions(args)
    return (terminal, signal) => runDemo(options, terminal, signal)
  },
}
