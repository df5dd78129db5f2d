import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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

  it('takes the newest PostgreSQL of those that Debian has put beside each other', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'program-test-'))
    try {
      for (const version of ['9', '15', '17']) {
        await mkdir(join(folder, version, 'bin'), { recursive: true })
        if (version !== '17') await writeFile(join(folder, version, 'bin', 'initdb'), '', { mode: 0o755 })
      }
      const initdb = await findProgram('initdb', { PATH: '/var/empty' }, folder)
      expect(initdb).to.equal(join(folder, '15', 'bin', 'initdb'))
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  for (const [program, install] of [
    ['java', 'apt-get install openjdk-17-jre-headless'],
    ['mvn', 'apt-get install maven'],
    ['openssl', 'apt-get install openssl'],
    ['redis-server', 'apt-get install redis-server'],
    ['initdb', 'apt-get install postgresql'],
    ['postgres', 'apt-get install postgresql'],
  ] as const) {
    it(`names the command that installs ${program} when it is missing`, async () => {
      const error: unknown = await findProgram(program, { PATH: '/var/empty' }, '/var/empty').catch(
        (error: unknown) => error,
      )
      expect(isTandemError(error, 'TANDEM_SERVICE_MISSING'), String(error)).to.equal(true)
      expect((error as Error).message)
        .to.include(program)
        .and.to.include(install)
    })
  }
})
