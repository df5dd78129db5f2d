import { expect } from 'chai'

import type { Snapshot } from './snapshot.js'
import { formatProgress, formatTable } from './table.js'

const now: Snapshot = {
  elapsedMs: 15_340,
  messages: 40_000,
  sent: 15_300,
  rate: 998.4,
  acknowledged: 15_290,
  delivered: 15_280,
  late: 0,
  duplicatesDropped: 13_012,
  phase: 'east is hung',
  clusters: [
    { name: 'east', condition: 'hung', circuit: 'open', backlog: 1961, feed: 'live', held: 0 },
    { name: 'west', condition: 'up', circuit: 'closed', backlog: 0, feed: 'live', held: 12 },
  ],
}

describe('table', () => {
  it('shows the load, each cluster, and what became of the messages', () => {
    expect(formatTable(now)).to.deep.equal([
      '15.3 s   15,300 of 40,000 sent, 998/s   east is hung',
      '',
      'cluster   is     circuit   backlog   feed   held',
      'east      hung   open        1,961   live      0',
      'west      up     closed          0   live     12',
      '',
      'acknowledged   delivered   late   duplicates dropped',
      '      15,290      15,280      0               13,012',
    ])
  })

  it('fits into one line too', () => {
    expect(formatProgress(now)).to.equal(
      '15.3 s east is hung: sent 15300, acknowledged 15290, delivered 15280, late 0, duplicates dropped 13012, ' +
        'east hung (circuit open, backlog 1961, feed live, held 0), west up (circuit closed, backlog 0, feed live, held 12)',
    )
  })
})
