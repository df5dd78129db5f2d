import { dirname } from 'node:path'
import { expect } from 'chai'
import { isTandemError } from '@tandem/common/internal'
import { findProgram } from './program.js'

describe('findProgram', () => {
  it('finds what is on the path', async () => {
    expect(await findProgram('redis-server')).to.match(/\/redis-server$/)
  })

  it('takes Java from JAVA_HOME first', async () => {
    const java = await findProgram('java')
    expect(await findProgram('java', { PATH: '', JAVA_HOME: dirname(dirname(java)) })).to.equal(java)
  })

  for (const [program, install] of [
    ['java', 'apt-get install openjdk-17-jre-headless'],
    ['mvn', 'apt-get install maven'],
    ['openssl', 'apt-get install openssl'],
    ['redis-server', 'apt-get install redis-server'],
  ] as const) {
    it(`names the command that installs ${program} when it is missing`, async () => {
      const error: unknown = await findProgram(program, { PATH: '/var/empty' }).catch((error: unknown) => error)
      expect(isTandemError(error, 'TANDEM_SERVICE_MISSING'), String(error)).to.equal(true)
      expect((error as Error).message)
        .to.include(program)
        .and.to.include(install)
    })
  }
})
