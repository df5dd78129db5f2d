import { readFileSync } from 'node:fs'

import { expect } from 'chai'

import { MIRROR_MAKER_POM } from './mirror-maker.js'

describe('bench of failover: MirrorMaker', () => {
  it('is of the same Kafka as the clusters are', () => {
    const testing = new URL('../pom.xml', import.meta.resolve('@tandem/testing/internal'))
    const [mirrors, clusters] = [MIRROR_MAKER_POM, testing].map(
      (pom) => /<kafka\.version>([^<]+)</.exec(readFileSync(pom, 'utf8'))![1],
    )
    expect(mirrors).to.equal(clusters)
  })
})
