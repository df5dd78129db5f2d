/** How fast a count has grown lately. */
export class RateMeter {
  readonly #samples: { readonly atMs: number; readonly count: number }[] = []

  /** Per second, over the last two seconds or so; `atMs` never runs back. */
  rate(atMs: number, count: number): number {
    const samples = this.#samples
    if (samples.length === 0 || atMs - samples[samples.length - 1]!.atMs >= SAMPLE_EVERY_MS) {
      samples.push({ atMs, count })
    }
    while (samples.length > 2 && atMs - samples[1]!.atMs >= WINDOW_MS) samples.shift()
    const first = samples[0]!
    return atMs > first.atMs ? ((count - first.count) * 1000) / (atMs - first.atMs) : 0
  }
}

const SAMPLE_EVERY_MS = 100
const WINDOW_MS = 2000
