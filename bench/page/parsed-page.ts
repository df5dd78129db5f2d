/** For tests: what a reader finds in HTML or SVG. */
import { DOMParser } from 'linkedom'

export interface Found {
  readonly textContent: string
  readonly outerHTML: string
  getAttribute(name: string): string | null
  querySelectorAll(selector: string): Iterable<Found>
}

export function parsed(markup: string): Found {
  return new DOMParser().parseFromString(`<html><body>${markup}</body></html>`, 'text/html') as unknown as Found
}

export function textsOf(found: Found, selector: string): readonly string[] {
  return [...found.querySelectorAll(selector)].map(({ textContent }) => textContent.trim())
}

/** By their labels: `rect` for bars and phases, `line` for lines. */
export function shapesOf(picture: string, label: string, shape: string): readonly Found[] {
  return [...parsed(picture).querySelectorAll(`g[aria-label="${label}"] ${shape}`)]
}
