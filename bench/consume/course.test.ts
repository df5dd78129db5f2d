import { expect } from 'chai'

import { Course } from './course.js'

describe('bench course', () => {
  it('counts from a tenth on, until all is done', async () => {
    let commands = 0
    const course = new Course(200, () => commands)
    const done = (records: number, sent: number): void => {
      commands = sent
      course.handleDone(records)
    }
    done(19, 5)
    done(21, 7)
    done(199, 50)
    expect(course.over).to.equal(false)
    done(200, 60)
    done(201, 70)
    expect(course.over).to.equal(true)
    const { records, redisCommands, ms, cpuMicros } = await course.result
    expect([records, redisCommands]).to.deep.equal([179, 53])
    expect(ms).to.be.at.least(0)
    expect(cpuMicros).to.be.at.least(0)
  })
})
