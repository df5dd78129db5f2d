import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** Where figures come from; without it they mean nothing. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGB: number
  readonly system: string
  /** Of the last minute before the run: what else it did. */
  readonly load: number
}

export function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    load: Math.round(loadavg()[0]! * 10) / 10,
  }
}
