import { expect } from 'chai'

import type { RatioReport } from '../report.js'
import { drawFigures, mainMeasureOf } from './figure-bars.js'
import { parsed, shapesOf, textsOf } from './parsed-page.js'
import { drawRatios } from './ratio-bars.js'

describe('bench bars', () => {
  const subject = (
    name: string,
    unit: string,
    median: number,
    spread = 0,
  ): Parameters<typeof drawFigures>[1][number] => {
    return { name, unit, median, min: median - spread, max: median + spread }
  }
  const barsOf = (picture: string): readonly { readonly x: number; readonly width: number; readonly fill: string }[] =>
    shapesOf(picture, 'rect', 'rect').map((rect) => ({
      x: Number(rect.getAttribute('x')),
      width: Number(rect.getAttribute('width')),
      fill: rect.getAttribute('fill')!,
    }))

  it('are as long as their figures, which stand beside them', () => {
    const picture = drawFigures('', [subject('tin', 'g', 100), subject('tin', 'MB', 7), subject('gold', 'g', 200)], 'g')
    const [tin, gold, ...others] = barsOf(picture)
    expect(others).to.deep.equal([])
    expect(gold!.width / tin!.width).to.be.closeTo(2, 0.01)
    expect(textsOf(parsed(picture), 'text')).to.include.members(['tin', '100', 'gold', '200'])
  })

  it('show how far rounds lay apart, if they did', () => {
    const picture = drawFigures('', [subject('tin', 'g', 100, 20), subject('gold', 'g', 200)], 'g')
    const ranges = shapesOf(picture, 'rule', 'line').filter((line) => line.getAttribute('marker-end') !== null)
    expect(ranges).to.have.length(1)
    expect(picture).to.include('tin: 100 (80 to 120)').and.to.include('gold: 200<')
  })

  it('stand together by the size of messages, or by their subject if they are of phases', () => {
    const bySize = drawFigures(
      '',
      [subject('one 200 B', 'g', 1), subject('two 200 B', 'g', 1), subject('one 16 KB', 'g', 1)],
      'g',
    )
    const labels = textsOf(parsed(bySize), 'text').filter((text) => !/^[\d.]+$/.test(text))
    expect(labels).to.have.members(['200 B', '16 KB', 'one', 'two', 'one', 'g'])
    const byPhase = drawFigures(
      '',
      [subject('fixed', 'g, hung', 1), subject('fixed', 'g, killed', 1), subject('fixed', 'MB', 1)],
      'g',
    )
    expect(textsOf(parsed(byPhase), 'text')).to.include.members(['fixed', 'hung', 'killed'])
  })

  it('are of messages by the second, or of what is told of each phase, or of what is measured first', () => {
    expect(mainMeasureOf([subject('a', 'lost', 0), subject('a', 'messages/s', 1)])).to.equal('messages/s')
    expect(mainMeasureOf([subject('a', 'lost', 0), subject('a', 'accepted/s, hung', 1)])).to.equal('accepted/s')
    expect(mainMeasureOf([subject('a', 'lost', 0), subject('a', 'pause ms', 1)])).to.equal('lost')
    expect(mainMeasureOf([])).to.equal(undefined)
  })

  describe('of ratios', () => {
    const ratio = (value: number, reach: number | null = null): RatioReport => {
      return { name: `a / ${value}`, value, reach, met: reach === null ? null : value >= reach }
    }

    it('go from 1 to both sides, twice as far as half', () => {
      const [half, twice, same] = barsOf(drawRatios('', [ratio(0.5), ratio(2), ratio(1)]))
      expect(half!.x + half!.width).to.be.closeTo(twice!.x, 0.2)
      expect(half!.width).to.be.closeTo(twice!.width, 0.2)
      expect(same!.width).to.equal(0)
    })

    it('say what is to be reached and whether it is, by word and by colour', () => {
      const picture = drawRatios('', [ratio(0.5, 0.9), ratio(0.95, 0.9), ratio(3)])
      expect(textsOf(parsed(picture), 'text')).to.include.members(['0.5, not met (0.9)', '0.95, met (0.9)', '3'])
      expect(new Set(barsOf(picture).map(({ fill }) => fill)).size).to.equal(3)
    })

    it('bear what has no place on a log scale, or is no number', () => {
      const [nothing, unknown] = barsOf(drawRatios('', [ratio(0), ratio(NaN, 1)]))
      expect(nothing!.width).to.be.greaterThan(0)
      expect(unknown!.width).to.equal(0)
    })
  })
})
