/**
 * What a group did to its database, judged by the fence: an effect under a lower token than one that the database has of
 * the same partition is refused. So whatever a holder does that does not know yet that it is none has no effect.
 */
import type { SentMessage } from '../simulation/checkers/history.js'
import type { Effect } from './database.js'
import { LineTail } from './line-tail.js'

export class FencedEffects {
  readonly #tail: LineTail
  /** By partition, the greatest token so far. */
  readonly #fences = new Map<number, number>()
  /** In the order in which they were done. */
  readonly #accepted: Effect[] = []
  readonly #texts = new Set<string>()
  refused = 0

  constructor(path: string) {
    this.#tail = new LineTail(path)
  }

  /** Takes in what the file has grown by. */
  read(): void {
    for (const effect of this.#tail.read() as Effect[]) {
      const { partition, fence, text } = effect
      if (fence < (this.#fences.get(partition) ?? 0)) {
        this.refused++
        continue
      }
      this.#fences.set(partition, fence)
      this.#accepted.push(effect)
      this.#texts.add(text)
    }
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
