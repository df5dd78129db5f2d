/** What a logger, a meter or a tracer throws is not ours to handle, and must not stop the work that it is told of. */
export function quietly<T>(task: () => T): T | undefined {
  try {
    return task()
  } catch {
    return undefined
  }
}
