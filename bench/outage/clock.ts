/** The machine's clock, which all processes of a run and both brokers share, finer than a millisecond. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now()
}
