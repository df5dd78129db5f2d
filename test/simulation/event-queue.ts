/**
 * What is to happen and when: a heap, ordered by time and, among equals, by who came first.
 *
 * The second half of the order is what makes runs repeat: two things at one millisecond have a defined order.
 */
export interface QueuedEvent {
  readonly time: number
  readonly ordinal: number
  /** Undefined once it was taken back. */
  task: (() => void) | undefined
}

export class EventQueue {
  readonly #heap: QueuedEvent[] = []
  #ordinal = 0

  get size(): number {
    return this.#heap.length
  }

  push(time: number, task: () => void): QueuedEvent {
    const event = { time, ordinal: this.#ordinal++, task }
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const parent = (at - 1) >>> 1
      // Ordinals only grow, so an equal time means that the parent came first.
      if (heap[parent]!.time <= time) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = event
    return event
  }

  /** The next event that was not taken back, if it is due by `time`. */
  shift(time: number): QueuedEvent | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || (first.task !== undefined && first.time > time)) return undefined
      this.#removeFirst()
      if (first.task !== undefined) return first
    }
  }

  #removeFirst(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (before(last, heap[child]!)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function before(a: QueuedEvent, b: QueuedEvent): boolean {
  return a.time < b.time || (a.time === b.time && a.ordinal < b.ordinal)
}
