import { HighWaterStoreUnusableError, received } from '@tandem/common/internal'

/** Format of what is stored of a partition, in every store: this version writes and reads no other. */
export const FORMAT = 1

/** @throws HighWaterStoreUnusableError `TANDEM_HIGH_WATER_STORE_UNUSABLE`: it has another one. */
export function checkFormat(key: string, format: unknown): void {
  if (format === FORMAT) return
  const found = received(format)
  throw new HighWaterStoreUnusableError(
    `The position of ${key} has format ${found}; this version of tandem reads format ${FORMAT}`,
    { key, format: found },
  )
}
