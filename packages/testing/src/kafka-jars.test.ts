import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { isTandemError } from '@tandem/common/internal'
import { kafkaJars } from './kafka-jars.js'

describe('kafkaJars', function () {
  this.timeout(300_000) // the first time on a machine, 54 MB come from afar

  let cache: string
  beforeEach(async () => void (cache = await mkdtemp(join(tmpdir(), 'kafka-jars-'))))
  afterEach(() => rm(cache, { recursive: true }))

  it('fetches them whole into the cache, two at the same time too, and leaves nothing else there', async () => {
    const environment = { ...process.env, TANDEM_CACHE: cache }
    const [jars, same] = await Promise.all([kafkaJars(environment), kafkaJars(environment)])
    expect(same).to.equal(jars)
    expect(await readdir(cache)).to.have.length(1)
    expect((await readdir(jars)).filter((name) => /^(kafka_2\.13|log4j-core)-.*\.jar$/.test(name))).to.have.length(2)
  })

  it('names the command that installs Maven when they are not there', async () => {
    const environment = { ...process.env, TANDEM_CACHE: cache, PATH: '/var/empty' }
    const error: unknown = await kafkaJars(environment).catch((error: unknown) => error)
    expect(isTandemError(error, 'TANDEM_SERVICE_MISSING'), String(error)).to.equal(true)
    expect((error as Error).message).to.include('apt-get install maven')
  })
})
