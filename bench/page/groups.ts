/** Names of subjects and ratios tell at their end what they are about: `one 200 B`, `one / raw, 200 B`. */
export function splitName(name: string): { readonly heading: string; readonly rest: string } {
  const [, rest, heading] = /^(.*?),? (\d+ K?B)$/.exec(name) ?? []
  return rest === undefined || heading === undefined ? { heading: '', rest: name } : { heading, rest }
}

/** A unit may be told of each phase of a run: `accepted/s, killed`. */
export function splitUnit(unit: string): { readonly measure: string; readonly phase: string } {
  const [, measure, phase] = /^(.*), (.*)$/.exec(unit) ?? []
  return measure === undefined || phase === undefined ? { measure: unit, phase: '' } : { measure, phase }
}

/** In the order in which each heading comes first. */
export function grouped<Item>(items: readonly Item[], headingOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const heading = headingOf(item)
    groups.set(heading, [...(groups.get(heading) ?? []), item])
  }
  return groups
}
