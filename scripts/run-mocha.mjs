// Runs the test files that it is given, in one process, and tells the process that started it how they came out. It
// does not end the process: one that stays alive has left something running, which is a defect of a test.
import { readFileSync } from 'node:fs'
import Mocha from 'mocha'

process.on('disconnect', () => process.exit(1)) // nobody is left to tell
process.channel.unref()

const options = JSON.parse(readFileSync(new URL('../.mocharc.json', import.meta.url), 'utf8'))
const mocha = new Mocha(options)
for (const file of process.argv.slice(2)) mocha.addFile(file)
await mocha.loadFilesAsync()
const failures = []
const { stats } = await new Promise((resolve) => {
  const runner = mocha.run(() => resolve(runner))
  runner.on('fail', (test, error) => failures.push(`${test.fullTitle()}\n${error.stack ?? error}`))
})
process.send({ passed: stats.passes, failed: stats.failures, skipped: stats.pending, failures })

// Only if it does not end by itself: what there is to look for.
const tellWhatIsLeft = () =>
  console.error(`what keeps the process alive: ${process.getActiveResourcesInfo().join(', ')}`)
setTimeout(tellWhatIsLeft, 3_000).unref()
