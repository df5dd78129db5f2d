/**
 * What a group did to its database, judged by the fence: an effect under a lower token than one that the database has of
 * the same partition is refused. So whatever a holder does that does not know yet that it is none has no effect.
 */
import type { SentMessage } from '../simulation/checkers/history.js'
import type { Effect } from './database.js'

export class FencedEffects {
  readonly #accepted: Effect[] = []
  readonly #refused: Effect[] = []
  readonly #texts = new Set<string>()

  /** @param effects in the order in which they were done. */
  constructor(effects: readonly Effect[]) {
    /** By partition, the greatest token so far. */
    const fences = new Map<number, number>()
    for (const effect of effects) {
      const { partition, fence, text } = effect
      if (fence < (fences.get(partition) ?? 0)) {
        this.#refused.push(effect)
        continue
      }
      fences.set(partition, fence)
      this.#accepted.push(effect)
      this.#texts.add(text)
    }
  }

  /** How many such a database would not have let in. */
  get refused(): number {
    return this.#refused.length
  }

  /** Messages that had their effect. */
  get texts(): ReadonlySet<string> {
    return this.#texts
  }

  /** Effects beyond the first of their message. */
  get again(): number {
    return this.#accepted.length - this.#texts.size
  }

  /** Acknowledged messages without an effect. */
  lost(messages: readonly SentMessage[]): string[] {
    return messages
      .filter(({ answer, text }) => answer === 'acknowledged' && !this.#texts.has(text))
      .map(({ text }) => `${text} was acknowledged and had no effect`)
  }

  /** Twice under one lease: no crash explains that, nor a hand-over. */
  twice(): string[] {
    const seen = new Set<string>()
    return this.#accepted.flatMap(({ partition, fence, text }) => {
      const name = `${partition}/${fence}/${text}`
      if (seen.has(name)) return [`${text} had its effect twice under lease ${fence}`]
      seen.add(name)
      return []
    })
  }

  /** What a database must not have in which position and effect are one transaction: more than one, or a refused one. */
  notOnce(): string[] {
    const seen = new Set<string>()
    const again = this.#accepted.filter(({ text }) => seen.size === seen.add(text).size)
    return [
      ...again.map(({ text, fence }) => `${text} had its effect again, under lease ${fence}`),
      ...this.#refused.map(({ text, fence }) => `${text} had its effect under lease ${fence} after a later one began`),
    ]
  }

  /** First effects of the messages that one process sent with one key, in another order than it sent them. */
  disordered(messages: readonly SentMessage[]): string[] {
    const sent = new Map(messages.map((message) => [message.text, message]))
    const seen = new Set<string>()
    const last = new Map<string, SentMessage>()
    const wrong: string[] = []
    for (const { text, late } of this.#accepted) {
      const message = sent.get(text)
      if (late || seen.has(text) || message === undefined) continue
      seen.add(text)
      const key = `${message.producerId}/${message.life}/${message.key}`
      const before = last.get(key)
      if (before !== undefined && before.number > message.number) {
        wrong.push(`${text} had its effect after that of ${before.text}`)
      } else last.set(key, message)
    }
    return wrong
  }
}
