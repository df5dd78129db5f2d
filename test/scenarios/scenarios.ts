import { bookings } from './bookings.js'
import { commits } from './commits.js'
import { crashInOutage } from './crash-in-outage.js'
import { damagedLogs } from './damaged-logs.js'
import { endsOfLogs } from './ends-of-logs.js'
import { epochs } from './epochs.js'
import { exactVoids } from './exact-voids.js'
import { expiry } from './expiry.js'
import { frames } from './frames.js'
import { holes } from './holes.js'
import { importing } from './import.js'
import { journal } from './journal.js'
import { latestBirth } from './latest-birth.js'
import { leaderless } from './leaderless.js'
import { leases } from './leases.js'
import { logLoop } from './log-loop.js'
import { operators } from './operators.js'
import { refusedForGood } from './refused-for-good.js'
import { restarts } from './restarts.js'
import { ROWS } from './rows.js'
import { scanning } from './scanning.js'
import type { Pending, Scenario } from './scenario.js'
import { slowClusters } from './slow-clusters.js'
import { store } from './store.js'
import { strict } from './strict.js'
import { twoProducers } from './two-producers.js'
import { unstamped } from './unstamped.js'
import { zombie } from './zombie.js'

/** Rows that are played, in the order of the tables. */
export const SCENARIOS: readonly Scenario[] = inOrder([
  ...holes,
  ...endsOfLogs,
  ...epochs,
  ...restarts,
  ...scanning,
  ...damagedLogs,
  ...strict,
  ...store,
  ...commits,
  ...importing,
  ...journal,
  ...slowClusters,
  ...operators,
  ...leases,
  expiry,
  bookings,
  twoProducers,
  latestBirth,
  crashInOutage,
  zombie,
  exactVoids,
  refusedForGood,
  leaderless,
  logLoop,
  unstamped,
  frames,
])

/** Rows that wait for their part. */
export const PENDING: readonly Pending[] = []

function inOrder<T extends Scenario | Pending>(list: readonly T[]): T[] {
  return [...list].sort((a, b) => ROWS.indexOf(a.name) - ROWS.indexOf(b.name))
}
