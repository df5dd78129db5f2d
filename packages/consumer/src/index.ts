export { Consumer, type ConsumerHealth, type ConsumerStatus } from './consumer.js'
export type { Verdict } from './core/key-order.js'
export { NO_LEASE, type LeaseRecord } from './core/lease.js'
export type { Member } from './core/shares.js'
export type { Delivery } from './delivery.js'
export type {
  Acquired,
  Claim,
  Fields,
  FinishedCounters,
  Flush,
  FlushAnswer,
  HighWaterStore,
  Holding,
  PartitionOfGroup,
  Release,
  Renewal,
  Renewed,
  Roll,
  Wish,
} from './high-water/high-water-store.js'
export { LevelHighWaterStore } from './high-water/level-high-water-store.js'
export { MemoryHighWaterStore } from './high-water/memory-high-water-store.js'
export { RedisHighWaterStore } from './high-water/redis-high-water-store.js'
export * as storedRecord from './high-water/stored-record.js'
export { batched, type DeliveryBatch } from './operators/batched.js'
export type { DeadLetter, DeliveryFailure } from './operators/dead-letter.js'
export { distinctBy, type BusinessKey, type DistinctByOptions } from './operators/distinct-by.js'
export { inKeyOrder, type Handler, type InKeyOrderOptions } from './operators/in-key-order.js'
export type { ConsumerOptions, Unstamped } from './options.js'
export type { FeedStatus, Hole, PartitionStatus, Stall } from './partition.js'
