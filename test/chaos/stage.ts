/**
 * One play of one scenario: two producers and two groups, each a process, on real clusters; harm as the scenario says;
 * then everything heals, has to come to rest in the time that I8 gives, and is judged.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { takeCensus } from '@tandem/cli/internal'
import type { TandemError, TandemEvent } from '@tandem/common'
import type { PostgresServer } from '@tandem/testing'

import type { FaultKind } from '../simulation/plan.js'
import { BookedEffects } from './bookings.js'
import { HarmedDatabase } from './database.js'
import { Evidence, type PublisherLife } from './evidence.js'
import { FencedEffects } from './fenced-effects.js'
import { Instance } from './instance.js'
import { Consumers, Producers, type Surroundings } from './lives.js'
import type { PublisherOptions } from './publisher.js'
import { timed } from './run.js'
import { HarmedCluster, HarmedRedis, type Servers, type Tell } from './servers.js'
import { SmallDisk } from './small-disk.js'
import type { DatabaseOptions } from './subscriber.js'
import { judge, type Verdict } from './verdict.js'

/** How the command line and the JSON object call what is played. */
export interface Named {
  readonly name: string
  /** A name for several. */
  readonly group?: 'producer' | 'consumer'
  /** It is long, and played only if it is asked for by its own name. */
  readonly byNameOnly?: true
}

export interface Scenario extends Named {
  /** One if left out. */
  readonly eastNodes?: 3
  readonly westNodes?: 3
  /** On how many nodes each partition is, if not on all: with 1, who kills a node takes their only leader from some. */
  readonly replicas?: 1
  /** Both producers keep a journal, and accept on it what neither cluster takes. */
  readonly journal?: 'on-outage' | 'always'
  /** The journals are on a disk that can be filled. */
  readonly smallDisk?: true
  /** How long both producers are patient, if not as long as by default. */
  readonly timeouts?: PublisherOptions['timeouts']
  /** Where both producers have their epochs from; Redis if left out. */
  readonly epochs?: 'file' | 'clock'
  /** One way is free all the time, be it the disk: no `send()` may reject. */
  readonly nothingIsRejected?: true
  /** Of the topic; four if left out. */
  readonly partitions?: number
  /** How many processes the group `balances` begins with; one if left out. */
  readonly instances?: number
  /**
   * That group handles its messages in the order of their keys, each with an effect: in a file, as a database that fences
   * (database.ts), or in PostgreSQL with its position, in one transaction (bookings.ts).
   */
  readonly database?: DatabaseOptions['kind']
  /** Number of a message whose first handler never ends. */
  readonly stuckAt?: number
  /** Logs lose their ends: one of them may lack anything, but not both. */
  readonly losesTails?: true
  /** Events, and codes of refused `connect()`s, that somebody must have told, or the harm did not do what it is for. */
  readonly told?: readonly (TandemEvent['kind'] | TandemError['code'])[]
  /** Lets the harm happen; what it leaves behind is healed after it. */
  play(stage: Stage): Promise<void>
}

/** What a scenario may lay hands on. */
export class Stage {
  readonly east: HarmedCluster
  readonly west: HarmedCluster
  readonly redis: HarmedRedis
  /** The first blocks when neither cluster takes anything, the second rejects. */
  readonly producers: readonly [Producers, Producers]
  /** Of the group `balances`: those that the scenario says, and those that it adds. */
  readonly instances: Instance[] = []
  readonly database: HarmedDatabase
  readonly faults = new Map<FaultKind, number>()
  readonly topic: string
  readonly #scenario: Scenario
  readonly #tell: Tell
  readonly #evidence: Evidence
  readonly #postgres: PostgresServer | undefined
  readonly #folder = mkdtempSync(join(tmpdir(), 'tandem-chaos-'))
  readonly #surroundings: Surroundings
  readonly #twins: Producers[] = []
  readonly #audit: Consumers
  #instancesMade = 0
  #disk: SmallDisk | undefined
  /** What is in PostgreSQL, if the scenario has one. */
  #booked: BookedEffects | undefined
  /** As far as they were read. */
  #effects = new FencedEffects([])

  constructor(
    scenario: Scenario,
    servers: Awaited<ReturnType<Servers['start']>> & { readonly postgres: PostgresServer | undefined },
    say: (text: string) => void,
  ) {
    const { name, journal, timeouts, epochs } = scenario
    this.#scenario = scenario
    const sayWhen = timed(say)
    const tell: Tell = (text, fault) => {
      if (fault !== undefined) this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
      sayWhen(text)
    }
    this.#tell = tell
    this.topic = `${name}-${Date.now()}`
    this.east = new HarmedCluster('east', servers.east, tell)
    this.west = new HarmedCluster('west', servers.west, tell)
    this.redis = new HarmedRedis(servers.redis, tell)
    this.database = new HarmedDatabase(join(this.#folder, 'effects'), tell)
    this.#postgres = servers.postgres
    this.#evidence = new Evidence(this.#partitions)
    const surroundings = { folder: this.#folder, evidence: this.#evidence, tell }
    this.#surroundings = surroundings
    const common = {
      topic: this.topic,
      redisUrl: this.redis.url,
      clusters: Object.fromEntries(
        this.#clusters.map(({ name, bootstrapServers }) => [name, { 'bootstrap.servers': bootstrapServers }]),
      ),
    }
    const publishing = {
      ...common,
      ratePerSecond: RATE_PER_SECOND,
      accounts: ACCOUNTS,
      ...(timeouts && { timeouts }),
      ...(epochs && { epochs: { kind: epochs, path: join(this.#folder, 'epochs') } }),
    }
    const onDisk = (producerId: string): Partial<PublisherOptions> => {
      if (journal === undefined) return {}
      const path = join(this.#journals, `${producerId}-journal`)
      return { whenBothAway: 'journal', journal: { path, mode: journal } }
    }
    this.producers = [
      new Producers(
        { ...publishing, producerId: 'patient', acknowledge: 'one', whenBothAway: 'block', ...onDisk('patient') },
        1,
        surroundings,
      ),
      new Producers(
        { ...publishing, producerId: 'hasty', acknowledge: 'available', whenBothAway: 'reject', ...onDisk('hasty') },
        2 ** 26,
        surroundings,
      ),
    ]
    this.#audit = new Consumers({ ...common, groupId: 'audit' }, surroundings)
  }

  /** The (first) process of each group. */
  get consumers(): readonly [Consumers, Consumers] {
    return [this.instances[0]!, this.#audit]
  }

  /** The harm goes on for so long. */
  async seconds(count: number): Promise<void> {
    await sleep(count * 1_000)
  }

  /** The disk of the journals, if the scenario has one that is small. */
  get disk(): SmallDisk {
    if (this.#disk === undefined) throw new Error(`${this.#scenario.name} has no disk of its own`)
    return this.#disk
  }

  /** Another process under the producerId of one of the producers. */
  async startTwin(producers: Producers): Promise<Producers> {
    this.#tell(`a second process starts under the producerId ${producers.producerId}`, 'same-producer-id')
    const twin = producers.twin()
    this.#twins.push(twin)
    await twin.start()
    return twin
  }

  /** One more process of the group `balances`. */
  async addInstance(): Promise<Instance> {
    const instance = await this.#makeInstance()
    this.#tell(`consumer ${instance.name} is added`, 'instance-added')
    await instance.start()
    return instance
  }

  /** One less, closed in an orderly way. */
  async removeInstance(instance: Instance): Promise<void> {
    await instance.leave(CLOSE_TIMEOUT_MS)
    this.instances.splice(this.instances.indexOf(instance), 1)
    await instance.remove()
  }

  /** While the harm lasts: whatever was acknowledged up to now reaches both groups. */
  async expectDelivered(): Promise<void> {
    this.#evidence.read()
    const acknowledged = this.#evidence.acknowledged()
    for (const deadline = Date.now() + DELIVERED_TIMEOUT_MS; ; await sleep(LOOK_EVERY_MS)) {
      this.#evidence.read()
      if (this.#given().every((texts) => isWithin(acknowledged, texts))) break
      if (Date.now() > deadline) throw new Error('what was acknowledged was not delivered while one way was free')
    }
    this.#tell('all that was acknowledged is delivered meanwhile')
  }

  /** While the harm lasts: whatever was sent up to now is answered. */
  async expectAnswers(): Promise<void> {
    const sentUntilMs = Date.now()
    for (const deadline = sentUntilMs + ANSWERS_TIMEOUT_MS; ; await sleep(LOOK_EVERY_MS)) {
      this.#evidence.read()
      const open = this.#evidence.countOpen(sentUntilMs)
      if (open === 0) break
      if (Date.now() > deadline) throw new Error(`${open} sends had no answer while one way was free`)
    }
    this.#tell('all that was sent is answered meanwhile')
  }

  /** From the empty topic to the verdict. */
  async run(): Promise<Verdict> {
    try {
      const verdict = await this.#run()
      if (verdict.complaints.length > 0) return { ...verdict, complaints: [...verdict.complaints, this.#written] }
      await this.#remove()
      rmSync(this.#folder, { recursive: true })
      return verdict
    } catch (error) {
      // The next scenario is to find the servers well.
      for (const harmed of [...this.#clusters, this.redis]) await harmed.heal()
      throw new Error(`it broke off; ${this.#written}`, { cause: error })
    } finally {
      await this.#remove()
    }
  }

  /** Processes, and the disk with what they kept on it. */
  async #remove(): Promise<void> {
    await Promise.all(this.#lives.map((lives) => lives.remove()))
    await this.#disk?.unmount()
    this.#disk = undefined
    await this.#booked?.close()
    this.#booked = undefined
  }

  async #run(): Promise<Verdict> {
    const { replicas, smallDisk, instances = 1 } = this.#scenario
    const single = replicas && { replicas, config: { 'min.insync.replicas': '1' } }
    await Promise.all(
      this.#clusters.map((cluster) => cluster.createTopic(this.topic, { partitions: this.#partitions, ...single })),
    )
    if (smallDisk) this.#disk = await SmallDisk.mount(this.#journals, this.#tell)
    if (this.#postgres) this.#booked = await BookedEffects.create(this.#postgres.url)
    for (let made = 0; made < instances; made++) await this.#makeInstance()
    await Promise.all(this.#lives.map((lives) => lives.start()))
    await this.#flowing()
    await this.#scenario.play(this)
    for (const harmed of this.#harmed) await harmed.heal()
    const healedAtMs = Date.now()
    const rested = await this.#rest(healedAtMs)
    await Promise.all(this.#subscribing.map((lives) => lives.finish(CLOSE_TIMEOUT_MS)))
    return this.#judge(healedAtMs, rested)
  }

  async #makeInstance(): Promise<Instance> {
    const { database, stuckAt } = this.#scenario
    const options = {
      groupId: 'balances',
      topic: this.topic,
      ...(database === 'file' && { database: { kind: database, path: this.database.path } }),
      ...(database === 'postgres' && { database: { kind: database, url: this.#postgres!.url } }),
      ...(stuckAt !== undefined && { stuckAt }),
    }
    const instance = await Instance.create(this.#instancesMade++, this, options, this.#surroundings)
    this.instances.push(instance)
    return instance
  }

  get #partitions(): number {
    return this.#scenario.partitions ?? PARTITIONS
  }

  get #written(): string {
    return `what was written down: ${this.#folder}`
  }

  get #journals(): string {
    return join(this.#folder, 'journals')
  }

  /** All of them, twins too. */
  get #publishing(): readonly Producers[] {
    return [...this.producers, ...this.#twins]
  }

  get #clusters(): readonly HarmedCluster[] {
    return [this.east, this.west]
  }

  get #subscribing(): readonly Consumers[] {
    return [...this.instances, this.#audit]
  }

  get #lives(): readonly (Producers | Consumers)[] {
    return [...this.#publishing, ...this.#subscribing]
  }

  get #harmed(): readonly { heal(): Promise<void> | void }[] {
    return [...this.#clusters, this.redis, this.database, ...(this.#disk ? [this.#disk] : []), ...this.#lives]
  }

  /** Both groups get what both producers send, and each instance its share: what is harmed from here on worked before. */
  async #flowing(): Promise<void> {
    const deadline = Date.now() + FLOWING_TIMEOUT_MS
    const isStill = ({ groupId }: Consumers): boolean => this.#evidence.givenTo(groupId).size < RATE_PER_SECOND
    while (this.consumers.some(isStill) || !this.#evidence.everybodyWasGiven) {
      for (const lives of this.#lives) await lives.expectAlive()
      if (Date.now() > deadline) throw new Error(`${this.topic}: nothing was delivered before anything was harmed`)
      await sleep(LOOK_EVERY_MS)
      this.#evidence.read()
    }
  }

  /** Sends on for a while in a world that is healed, then no more; whether all comes to rest in time. */
  async #rest(healedAtMs: number): Promise<boolean> {
    const deadline = healedAtMs + REST_MS_MAX
    await this.seconds(SENDING_ON_S)
    await Promise.all(this.#publishing.map((lives) => lives.finish(deadline - Date.now())))
    for (;;) {
      this.#evidence.read()
      await this.#readEffects()
      if (this.#atRest()) break
      if (Date.now() > deadline) return false
      await sleep(LOOK_EVERY_MS)
    }
    await this.seconds(WATCHING_ON_S)
    return true
  }

  #atRest(): boolean {
    const acknowledged = this.#evidence.acknowledged()
    const given = this.#given()
    return (
      this.#publishing.every(({ finished }) => finished) &&
      given.every((texts) => isWithin(acknowledged, texts)) &&
      given.every((texts) => isWithin(texts, given[0]!)) &&
      (this.#scenario.database === undefined || isWithin(given[0]!, this.#effects.texts))
    )
  }

  async #readEffects(): Promise<void> {
    this.#effects = new FencedEffects((await this.#booked?.effects()) ?? this.database.effects())
  }

  #given(): readonly Set<string>[] {
    return this.consumers.map(({ groupId }) => this.#evidence.givenTo(groupId))
  }

  async #judge(healedAtMs: number, rested: boolean): Promise<Verdict> {
    this.#evidence.read()
    await this.#readEffects()
    const groups = this.consumers.map(({ groupId }) => groupId)
    const history = this.#evidence.history({ groups, storeTroubles: this.redis.troubles, healedAtMs, rested })
    const censuses = await Promise.all(
      this.#clusters.map(async ({ name, bootstrapServers }) => {
        return [name, await takeCensus({ cluster: name, bootstrapServers, topic: this.topic })] as const
      }),
    )
    // What waited for a log was in the memory of a life that was killed, or is in neither any more.
    const mayLack = ({ killed }: PublisherLife): boolean => killed || this.#scenario.losesTails === true
    const logs = {
      censuses: Object.fromEntries(censuses),
      kept: this.#evidence.acknowledgements((life) => !mayLack(life)),
      cutOff: this.#evidence.acknowledgements(mayLack),
    }
    // Not done by us, but its consequence; told by the producers that outlived it.
    const discarded = this.#evidence.countEvents('client-discarded')
    const { name, told = [], nothingIsRejected = false, database } = this.#scenario
    return judge({
      name,
      history,
      settledAtMs: this.#evidence.settledAtMs(healedAtMs),
      logs,
      faults: new Map([...this.faults, ['client-discard', discarded]]),
      residentBytesMax: Math.max(...this.#publishing.map(({ residentBytesMax }) => residentBytesMax)),
      nothingIsRejected,
      ...(database && { done: { effects: this.#effects, once: database === 'postgres' } }),
      told: new Map(told.map((kind) => [kind, this.#evidence.countEvents(kind)])),
    })
  }
}

function isWithin(some: ReadonlySet<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((text) => all.has(text))
}

const PARTITIONS = 4
/** Of each producer. */
const RATE_PER_SECOND = 150
const ACCOUNTS = 40
/** I8: `feedAwayAfterMs` + `holeTimeoutMs` + `gapTimeoutMs` + 30 s, with the defaults of the options. */
const REST_MS_MAX = 10_000 + 60_000 + 5_000 + 30_000
const SENDING_ON_S = 3
/** For what should not come any more. */
const WATCHING_ON_S = 2
const FLOWING_TIMEOUT_MS = 60_000
/** A consumer closes within 17 s whatever happens around it. */
const CLOSE_TIMEOUT_MS = 30_000
/** Longer than any circuit takes to open, so that only a send that the harm holds up is late. */
const ANSWERS_TIMEOUT_MS = 30_000
/** A dead instance, a feed that is away and a lease that has to be waited for, one after the other. */
const DELIVERED_TIMEOUT_MS = 60_000
const LOOK_EVERY_MS = 250
