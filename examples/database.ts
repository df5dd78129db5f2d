/** Stands for a database: it forgets everything. */
export async function book(
  transfer: { readonly number: number; readonly amount: number },
  { signal, fence }: { readonly signal: AbortSignal; readonly fence: number },
): Promise<void> {
  signal.throwIfAborted()
  console.log(`booked ${transfer.amount} under ${fence}`)
}

export async function insertAll(rows: readonly Uint8Array[]): Promise<void> {
  console.log(`inserted ${rows.length} rows`)
}
