import { TOPIC, type Setting } from './plan.js'
import type { SimulatedProcess } from './simulated-process.js'
import type { SimulatedProducer } from './simulated-producer.js'
import type { World } from './world.js'

export interface ProducerProcess {
  readonly producer: SimulatedProducer
  readonly producerId: string
  readonly life: number
  /** Its journal's path: the disk of a machine, which the next process on it finds. */
  readonly path: string
  sent: number
  closed: boolean
}

/** Everybody who sends under one producerId. */
interface Service {
  readonly producerId: string
  lives: number
  /** Not killed and not closed; several if one was replaced too early. */
  readonly processes: ProducerProcess[]
}

/**
 * Who sends: services, known by their numbers in the plan, and their processes. Each process runs on a machine whose
 * disk outlives it.
 */
export class Senders {
  /** Of all processes there were, in the order of their starts. */
  readonly producers: SimulatedProducer[] = []
  readonly #world: World
  readonly #setting: Setting
  readonly #services: readonly Service[]
  /** Who used a machine's disk last, by its path. */
  readonly #machines = new Map<string, ProducerProcess>()
  #healing = false

  constructor(world: World, setting: Setting) {
    this.#world = world
    this.#setting = setting
    this.#services = PRODUCER_IDS.slice(0, setting.producers).map((producerId) => {
      return { producerId, lives: 0, processes: [] }
    })
  }

  /** One process of each service. */
  start(): void {
    for (const service of this.#services) this.#start(service)
  }

  /** Those of a service that can send. */
  ready(index: number): ProducerProcess[] {
    return this.#services[index]!.processes.filter(({ producer: { connected, process } }) => {
      return connected && process.state === 'running'
    })
  }

  /** Whether no lane of anybody has anything left to write. */
  areDrained(): boolean {
    return this.producers.every((producer) => {
      if (producer.process.state === 'dead') return true
      return Object.values(producer.producer.status().clusters).every(({ backlog, onDisk, voids }) => {
        return backlog.records === 0 && onDisk === 0 && voids === 0
      })
    })
  }

  /** The one of a service that has been there longest. */
  oldest(index: number): SimulatedProcess | undefined {
    return this.#services[index]!.processes[0]?.producer.process
  }

  // --- faults, which return whether they changed anything -------------------------------------------------------

  /** Closes one in an orderly way, and starts another if the service has none then. */
  restart(index: number): boolean {
    const service = this.#services[index]!
    const process = running(service)
    if (process === undefined) return false
    service.processes.splice(service.processes.indexOf(process), 1)
    void process.producer.producer.close({ timeoutMs: 10_000 }).then(() => {
      process.closed = true
      if (this.#healing) this.#takeOverJournals()
      this.startIfNone(index)
    })
    return true
  }

  kill(index: number): boolean {
    const process = this.#services[index]!.processes.shift()
    if (process === undefined) return false
    process.producer.kill()
    return true
  }

  startIfNone(index: number): void {
    const service = this.#services[index]!
    if (service.processes.length === 0) this.#start(service)
  }

  /** `replaced`: it is taken for dead, and another one takes its place before it goes on. */
  stop(index: number, { forMs, replaced }: { readonly forMs: number; readonly replaced: boolean }): boolean {
    const service = this.#services[index]!
    const process = running(service)
    if (process === undefined) return false
    process.producer.stop()
    this.#world.timeline.after(forMs, () => process.producer.continue())
    if (replaced && service.processes.length < PROCESSES_MAX) this.#start(service)
    return true
  }

  /** A second one under the same producerId. */
  double(index: number): boolean {
    const service = this.#services[index]!
    if (service.processes.length !== 1) return false
    this.#start(service)
    return true
  }

  /** Faults are over: what was stopped goes on, and what lies on the disk of a machine without a process is written. */
  heal(): void {
    this.#healing = true
    for (const producer of this.producers) producer.continue()
    this.#takeOverJournals()
  }

  // --- processes ------------------------------------------------------------------------------------------------

  #start(service: Service): void {
    const setting = this.#setting
    const { producerId } = service
    const life = ++service.lives
    const path = this.#freePath(service)
    const { journal: mode } = setting
    const producer = this.#world.createProducer({
      producerId,
      name: `${producerId}-${life}`,
      epochs: setting.epochs,
      options: {
        acknowledge: setting.acknowledge,
        whenBothAway: { policy: setting.whenBothAway },
        journal: mode === 'off' ? {} : { mode, path, bytesMax: JOURNAL_BYTES_MAX, copyAgeMaxMs: setting.copyAgeMaxMs },
        sendTimeoutMs: setting.sendTimeoutMs,
        backlogBytesMax: setting.backlogBytesMax,
        topics: { [TOPIC]: { framing: setting.framing, lingerMs: setting.lingerMs } },
        connectTimeoutMs: 600_000,
      },
    })
    this.producers.push(producer)
    const process = { producer, producerId, life, path, sent: 0, closed: false }
    service.processes.push(process)
    this.#machines.set(path, process)
    producer.start()
    this.#keepConnecting(service, process)
  }

  /** A machine of the service on which nothing of it runs: mostly the one and only. */
  #freePath({ producerId }: Service): string {
    for (let machine = 1; ; machine++) {
      const path = `/${producerId}-${machine}`
      const user = this.#machines.get(path)
      if (user === undefined || isGone(user)) return path
    }
  }

  /** What could not start, because of its disk for instance, is tried again, as any service is. */
  #keepConnecting(service: Service, process: ProducerProcess): void {
    this.#world.timeline.after(5_000, () => {
      const { producer } = process
      if (producer.connected || !service.processes.includes(process)) return
      if (producer.failure !== undefined) producer.start()
      this.#keepConnecting(service, process)
    })
  }

  /** What is left on a disk is written by whoever starts on that machine. */
  #takeOverJournals(): void {
    for (const service of this.#services) {
      const machines = [...this.#machines].filter(([path]) => path.startsWith(`/${service.producerId}-`))
      const left = machines.filter(([, process]) => isGone(process))
      for (let count = left.length; count > 0; count--) this.#start(service)
    }
  }
}

function running({ processes }: Service): ProducerProcess | undefined {
  return processes.find(({ producer }) => producer.process.state === 'running')
}

function isGone({ producer, closed }: ProducerProcess): boolean {
  return closed || producer.process.state === 'dead'
}

const PRODUCER_IDS = ['ledger', 'cards']
/** Processes that send under one producerId at a time. */
const PROCESSES_MAX = 3
/** A little, so that a journal is full at times. */
const JOURNAL_BYTES_MAX = 1 << 20
