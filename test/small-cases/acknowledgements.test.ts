import { checkEveryRow, STORIES } from './acknowledgements.js'

describe('all small cases of acknowledgements', function () {
  this.timeout(0)

  for (const story of STORIES) {
    it(`three deliveries, ${story.name}: every row of three acts, and a crash after each`, async () => {
      const { crashes, positions } = await checkEveryRow(story, 3)
      console.log(`      ${crashes} crashes, which left ${positions} positions`)
    })
  }
})
