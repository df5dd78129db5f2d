import { checkEveryRow, STORIES } from './acknowledgements.js'

/** Four acts; what holds is said in acknowledgements.test.ts. */
describe('all cases of acknowledgements that are a little larger', function () {
  this.timeout(0)

  for (const story of STORIES) {
    it(`three deliveries, ${story.name}: every row of four acts, and a crash after each`, async () => {
      const { crashes, positions } = await checkEveryRow(story, 4)
      console.log(`      ${crashes} crashes, which left ${positions} positions`)
    })
  }
})
