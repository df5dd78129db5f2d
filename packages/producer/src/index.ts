export { Producer, type CloseOptions, type ImportOptions, type ProducerEvent, type SendOptions } from './producer.js'
export type { DeadDelivery, DeadDeliveryFailure, DeadLetterOptions } from './dead-letter-topic.js'
export type { ImportReport } from './letter-import.js'
export type { HeaderValue, Message, MessageHeaders } from './message.js'
export type { ProducerOptions } from './options.js'
export type { Copies, Receipt } from './receipt.js'
export type { ClosingReport, ClusterStatus, ProducerStatus } from './status.js'
export {
  ClockEpochs,
  type EpochLease,
  type EpochRequest,
  type EpochStore,
  type EpochTaken,
  type LeaseAnswer,
} from './epoch/epoch-store.js'
export { FallbackEpochs, type FallbackEpochsOptions } from './epoch/fallback-epochs.js'
export { FileEpochStore } from './epoch/file-epoch-store.js'
export { RedisEpochStore, type EpochRedis, type RedisEpochStoreOptions } from './epoch/redis-epoch-store.js'
