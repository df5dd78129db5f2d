/** How large a deployment the model has, and how long each part of its story takes, in virtual time. */
export interface ScaleSetting {
  readonly seed: number
  readonly partitions: number
  readonly producers: number
  /** Of one group. */
  readonly instances: number
  readonly messages: number
  readonly leaseMs: number
  /** Sending goes on this long with everybody there … */
  readonly calmMs: number
  /** … and this long without one cluster, before an instance is lost as well. */
  readonly awayMs: number
}

/** What two cores cannot run. */
export const LARGE: ScaleSetting = {
  seed: 1,
  partitions: 10_000,
  producers: 1_000,
  instances: 200,
  messages: 20_000,
  leaseMs: 10_000,
  calmMs: 30_000,
  awayMs: 15_000,
}
