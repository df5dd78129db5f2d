/** (stream, epoch, incarnation): what is counted, 1, 2, 3 … without holes. */
export interface SequenceId {
  readonly producerId: string
  readonly keyRange: number
  readonly epoch: number
  readonly incarnation: number
}

/** Map key of a stream within one topic and partition. Key range first, since a producerId may hold any text. */
export function streamKey(id: { readonly keyRange: number; readonly producerId: string }): string {
  return `${id.keyRange}/${id.producerId}`
}

/** Older incarnations come first: by epoch, and by incarnation only so that the order is defined. */
export function compareSequences(
  a: { readonly epoch: number; readonly incarnation: number },
  b: { readonly epoch: number; readonly incarnation: number },
): number {
  return a.epoch - b.epoch || a.incarnation - b.incarnation
}
