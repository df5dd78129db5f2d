/** Plots as SVG, drawn here and not in a browser: they need no script, and are pictures by themselves, too. */
import { plot as plotInto, type PlotOptions } from '@observablehq/plot'
import { DOMParser } from 'linkedom'

import { COLOURS, coloursOf } from './colours.js'
import { escaped } from './html.js'

export interface Drawing {
  readonly width: number
  readonly height: number
  readonly svg: string
}

export function plot(options: PlotOptions & { readonly width: number; readonly height: number }): Drawing {
  const { width, height } = options
  const svg = plotOnto({ ...options, document: DOCUMENT, style: { color: COLOURS.ink, fontSize: `${FONT_SIZE}px` } })
  svg.querySelector('style').remove() // meant for a plot by itself: it would undo the size of one within another
  return { width, height, svg: withShortNumbers(svg.outerHTML) }
}

/** What each of several lines is. */
export function legend(
  width: number,
  left: number,
  lines: readonly { readonly name: string; readonly colour: string; readonly dashes: string }[],
): Drawing {
  const height = 24
  let x = left
  const items = lines.map(({ name, colour, dashes }) => {
    const [from, to, textAt] = [x, x + 28, x + 34]
    x = textAt + name.length * CHARACTER_WIDTH + 20
    const stroke = `stroke="${colour}" stroke-width="2" stroke-dasharray="${dashes}"`
    return `<line x1="${from}" x2="${to}" y1="14" y2="14" ${stroke}/><text x="${textAt}" y="18">${escaped(name)}</text>`
  })
  const style = `font-size="${FONT_SIZE}" font-family="${FONT}" fill="${COLOURS.ink}"`
  return { width, height, svg: `<g ${style}>${items.join('')}</g>` }
}

/** Drawings of one width, one below the other. */
export function stack(title: string, drawings: readonly Drawing[]): string {
  const { width } = drawings[0]!
  let height = 0
  const placed = drawings.map((drawing) => {
    const group = `<g transform="translate(0,${height})">${drawing.svg}</g>`
    height += drawing.height
    return group
  })
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  const ground = `<rect width="100%" height="100%" fill="${COLOURS.paper}"/>`
  return `<svg ${size} role="img" aria-label="${escaped(title)}">${ground}${placed.join('')}</svg>`
}

/** A picture for a file of its own: with its colours, so that it can be read wherever it is shown. */
export function asFile(picture: string): string {
  const head = ` xmlns="http://www.w3.org/2000/svg"><style>${coloursOf('svg')}</style>`
  return `${picture.replace('>', head)}\n`
}

/** Tenths of a pixel are enough. */
function withShortNumbers(svg: string): string {
  return svg.replace(/ (?:d|transform|[xy][12]?|width|height)="[^"]*"/g, (attribute) =>
    attribute.replace(/\d+\.\d{2,}/g, (number) => String(Math.round(Number(number) * 10) / 10)),
  )
}

interface SvgElement {
  readonly outerHTML: string
  querySelector(selector: string): { remove(): void }
}

/** Plot's own type needs the types of a browser's document. */
const plotOnto = plotInto as (options: PlotOptions & { readonly document: unknown }) => SvgElement
const DOCUMENT: unknown = new DOMParser().parseFromString('<html></html>', 'text/html')

const FONT = 'system-ui, sans-serif'
const FONT_SIZE = 12
const CHARACTER_WIDTH = 7
