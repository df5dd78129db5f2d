import type { Checker } from './checker.js'
import type { Handled } from './history.js'

/**
 * docs/operators.md: under `inKeyOrder` messages of one key are handled one after the other, in the order in which they
 * were delivered; a message that is finished had its effect or lies among the dead letters; and only what can never be
 * handled lies there.
 */
export const keyOrder: Checker = {
  promise: 'inKeyOrder',
  check({ lives, messages }) {
    const keys = new Map(messages.map(({ text, key }) => [text, key]))
    return lives.flatMap(({ name, deliveries, service }) => {
      if (service === undefined) return []
      const wrong: string[] = []
      const deliveredOf = byKey(
        deliveries.filter(({ redelivered }) => !redelivered),
        keys,
      )
      for (const [key, handled] of byKey(service.handled, keys)) {
        wrong.push(...together(name, handled))
        const order = handled.map(({ text }) => text).filter((text, index, all) => text !== all[index - 1])
        const delivered = deliveredOf.get(key)!.map(({ text }) => text)
        const first = order.findIndex((text, index) => text !== delivered[index])
        if (first >= 0) wrong.push(`${name} handled ${order[first]} when it was the turn of ${delivered[first]}`)
      }
      const kept = new Set(service.letters)
      const good = new Set(service.handled.filter(({ toMs, failed }) => toMs !== undefined && !failed).map(textOf))
      for (const { text, acknowledgedAtMs } of deliveries) {
        if (acknowledgedAtMs === undefined || good.has(text) || kept.has(text)) continue
        wrong.push(`${text} was acknowledged by ${name} and neither handled nor kept`)
      }
      for (const text of kept) if (!service.poisoned(text)) wrong.push(`${name} gave up ${text}, which it could handle`)
      return wrong
    })
  },
}

function* together(name: string, handled: readonly Handled[]): Generator<string> {
  for (const [index, { text, fromMs }] of handled.entries()) {
    const before = handled[index - 1]
    if (before === undefined || (before.toMs ?? Infinity) <= fromMs) continue
    yield `${name} handled ${text} while it handled ${before.text} of the same key`
  }
}

/** Each key of each lease: what belongs to another one is handled anew. */
function byKey<T extends { readonly text: string; readonly fence?: number }>(
  all: readonly T[],
  keys: ReadonlyMap<string, string>,
): Map<string, T[]> {
  const byKey = new Map<string, T[]>()
  for (const one of all) {
    const key = `${one.fence}/${keys.get(one.text)!}`
    const known = byKey.get(key)
    if (known === undefined) byKey.set(key, [one])
    else known.push(one)
  }
  return byKey
}

function textOf({ text }: { readonly text: string }): string {
  return text
}
