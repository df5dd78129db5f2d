/** Powers of ten; within a few decades what lies between them, too. */
export function logTicks([from, to]: readonly [number, number]): number[] {
  const steps = to / from < 300 ? [1, 2, 5] : [1]
  const decades = Array.from({ length: 24 }, (_, index) => 10 ** (index - 12))
  return decades.flatMap((decade) => steps.map((step) => step * decade)).filter((tick) => tick >= from && tick <= to)
}
