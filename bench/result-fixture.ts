import type { Result } from './result.js'

/** For tests: what a run might leave, with what they are about. */
export function aResult(given: Partial<Result> = {}): Result {
  return {
    suite: 'weigh',
    quick: false,
    machine: { cpu: 'a slow one', cores: 2, memoryGB: 4, system: 'linux', load: 0.1 },
    versions: { scales: '1.2.3' },
    rounds: 3,
    subjects: [],
    ratios: [],
    commit: '0123456789abcdef0123456789abcdef01234567',
    seconds: 61,
    ...given,
  }
}
