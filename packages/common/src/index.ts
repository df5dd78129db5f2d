export * from './errors.js'
export * from './position.js'
export type { TandemEvent, EventKind } from './events.js'
export type { Logger } from './telemetry.js'
