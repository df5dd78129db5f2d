import { expect } from 'chai'

import { EndQuery } from './end-query.js'

describe('end query', () => {
  it('asks nothing that nobody wants', () => {
    expect(new EndQuery().due(0)).to.equal(false)
  })

  it('has one query in flight, and one answer serves all that was seen before it was asked', () => {
    const end = new EndQuery()
    end.want(1)
    end.want(2)
    expect(end.due(0)).to.equal(true)
    end.handleAsked(3)
    end.want(2)
    expect(end.due(0), 'one in flight').to.equal(false)
    expect(end.handleAnswer(3, 10, 10, 5)).to.equal(true)
    expect(end.reachedAfter(2)).to.equal(5)
    expect(end.reachedAfter(3), 'asked at 3 says nothing of what was seen at 3').to.equal(undefined)
    expect(end.due(1_000)).to.equal(false)
  })

  it('counts an end only from when the feed has read up to it', () => {
    const end = new EndQuery()
    end.want(0)
    end.handleAsked(1)
    end.handleAnswer(1, 10, 9, 5)
    expect(end.reachedAfter(0)).to.equal(undefined)
    end.handleOffset(10, 7)
    expect(end.reachedAfter(0)).to.equal(7)
  })

  it('asks again for what was seen while a query was in flight, a little later', () => {
    const end = new EndQuery()
    end.want(0)
    end.handleAsked(1)
    end.want(2)
    end.handleAnswer(1, 1, 1, 5)
    expect(end.due(5)).to.equal(false)
    expect(end.deadline).to.equal(105)
    expect(end.due(105)).to.equal(true)
  })

  it('asks again after half a second if no answer came', () => {
    const end = new EndQuery()
    end.want(0)
    end.handleAsked(1)
    end.handleFailed(1, 10)
    expect(end.due(509)).to.equal(false)
    expect(end.due(510)).to.equal(true)
  })

  it('takes no answer to a query that is no longer its own', () => {
    const end = new EndQuery()
    end.want(0)
    end.handleAsked(1)
    end.handleFailed(1, 0)
    end.handleAsked(2)
    expect(end.handleAnswer(1, 1, 1, 5)).to.equal(false)
  })

  it('remembers a bounded number of ends', () => {
    const end = new EndQuery()
    for (let step = 1; step <= 5_000; step++) {
      end.want(step - 1)
      end.handleAsked(step)
      end.handleAnswer(step, 0, 0, step)
    }
    expect(end.reachedAfter(0), 'the oldest are forgotten').to.equal(4_001)
    expect(end.reachedAfter(4_500)).to.equal(4_501)
  })
})
