import { expect } from 'chai'

import { parsed, shapesOf, textsOf } from './parsed-page.js'
import { drawTimeline } from './timeline-plot.js'

describe('bench timeline plot', () => {
  const picture = drawTimeline('fixed', {
    subject: 'fixed',
    round: 1,
    bucketMs: 500,
    phases: [
      { name: 'healthy', fromMs: 0, toMs: 1_000 },
      { name: 'killed', fromMs: 1_000, toMs: 4_000 },
    ],
    series: [
      { name: 'accepted', unit: 'messages/s', values: [10, 10, 0, 5, 10, 10, 10, 10] },
      { name: 'delivered', unit: 'messages/s', values: [10, 10, null, null, 20, 10, 10, 10] },
      { name: 'p99', unit: 'ms', values: [1, 2, 1_000, 1_000, 3, 2, 1, 1] },
    ],
  })
  const attribute = (name: string) => (shape: { getAttribute(name: string): string | null }) =>
    Number(shape.getAttribute(name))

  it('names phases, lines and units, and of latencies tens and hundreds', () => {
    const names = ['healthy', 'killed', 'accepted', 'delivered', 'p99', 'messages/s', 'ms, log scale', 'seconds', '100']
    expect(textsOf(parsed(picture), 'text')).to.include.members(names)
  })

  it('shades each phase behind every panel for as long as it took', () => {
    const widths = shapesOf(picture, 'rect', 'rect').map(attribute('width'))
    expect(widths).to.have.length(2 * 3) // the names are a panel, too
    for (const panel of [0, 2, 4]) expect(widths[panel + 1]! / widths[panel]!).to.be.closeTo(3, 0.01)
    const opacities = shapesOf(picture, 'rect', 'rect').map(attribute('fill-opacity'))
    expect(opacities[0]).to.equal(0)
    expect(opacities[1]).to.be.greaterThan(0)
  })

  it('has a line for each series, with a gap where nothing was measured', () => {
    const pieces = shapesOf(picture, 'line', 'path').map((path) => path.getAttribute('d')!.split('M').length - 1)
    expect(pieces).to.deep.equal([1, 2, 1])
  })

  it('tells lines apart by dashes, not by colour alone', () => {
    const dashes = [...parsed(picture).querySelectorAll('g[aria-label="line"]')].map((line) =>
      line.getAttribute('stroke-dasharray'),
    )
    expect(dashes[0]).not.to.equal(dashes[1])
  })

  it('is drawn of nothing, too', () => {
    const empty = drawTimeline('', { subject: 'a', round: 1, bucketMs: 250, phases: [], series: [] })
    expect(empty).to.include('<svg').and.not.to.include('NaN')
    const silent = { name: 'p99', unit: 'ms', values: [null, null] }
    expect(drawTimeline('', { subject: 'a', round: 1, bucketMs: 250, phases: [], series: [silent] })).not.to.include(
      'NaN',
    )
  })
})
