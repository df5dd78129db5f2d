import { isTandemError } from '@tandem/common'
import type { FlushAnswer, HighWaterStore, Holding } from '@tandem/consumer'
import { expect } from 'chai'

import type { SimulatedProcess } from './simulated-process.js'
import { World } from './world.js'

describe('simulated high-water store', () => {
  const AT = { groupId: 'g', topic: 'entries', partition: 0 }

  class Holder {
    readonly store: HighWaterStore
    holding: Holding | undefined
    readonly answers: (FlushAnswer | 'failed')[] = []
    #number = 0

    constructor(
      readonly world: World,
      readonly process: SimulatedProcess,
    ) {
      this.store = world.store.connection(process)
    }

    async acquire(): Promise<Holding> {
      void this.#take()
      await this.world.run(100)
      this.#number = this.holding!.number
      return this.holding!
    }

    async #take(): Promise<void> {
      const claim = { owner: this.process.name, greatestSeen: 0, seen: await this.store.look(AT) }
      const acquired = await this.store.acquire(AT, claim)
      if (acquired.kind === 'acquired') this.holding = acquired.holding
    }

    flush(text: string, confirmed = this.#number): void {
      const { token, bornMs } = this.holding!
      const fields = new Map([['f:east', Buffer.from(text)]])
      const flush = {
        owner: this.process.name,
        token,
        number: ++this.#number,
        confirmed,
        whole: false,
        bornMs,
        fields,
        finished: [],
      }
      this.store.flush(AT, flush).then(
        (answer) => this.answers.push(answer),
        (error: unknown) =>
          this.answers.push(isTandemError(error, 'TANDEM_HIGH_WATER_STORE_FAILED') ? 'failed' : (error as never)),
      )
    }
  }

  async function hold(world = new World(), name = 'holder'): Promise<Holder> {
    const holder = new Holder(world, world.createProcess(name))
    await holder.acquire()
    return holder
  }

  const stored = async (holder: Holder): Promise<string | undefined> => {
    const { fields } = await new Holder(holder.world, holder.world.createProcess('next')).acquire()
    return fields.get('f:east') === undefined ? undefined : Buffer.from(fields.get('f:east')!).toString()
  }

  it('keeps what was flushed', async () => {
    const holder = await hold()
    holder.flush('1')
    await holder.world.run(100)
    expect(holder.answers).to.deep.equal(['flushed'])
    expect(await stored(holder)).to.equal('1')
  })

  it('answers nobody while it is away, and carries out later what was sent meanwhile', async () => {
    const holder = await hold()
    holder.world.store.goAway()
    holder.flush('1')
    await holder.world.run(1_900)
    expect(holder.answers).to.deep.equal([])
    await holder.world.run(200)
    expect(holder.answers).to.deep.equal(['failed'])
    holder.world.store.comeBack()
    await holder.world.run(100)
    expect(holder.answers).to.deep.equal(['failed'])
    expect(await stored(holder)).to.equal('1')
  })

  it('may or may not carry out, and later, what lay in the socket of a process that was killed', async () => {
    const after = new Set<string | undefined>()
    for (let seed = 1; seed <= 20; seed++) {
      const holder = await hold(new World({ seed }))
      holder.world.store.goAway()
      holder.flush('1')
      await holder.world.run(100)
      holder.process.kill()
      holder.world.store.comeBack()
      await holder.world.run(5_000)
      after.add(await stored(holder))
    }
    expect([...after]).to.have.members([undefined, '1'])
  })

  it('cuts off one process and not the others', async () => {
    const world = new World()
    const holder = await hold(world)
    world.store.cutOff(holder.process)
    holder.flush('1')
    const other = new Holder(world, world.createProcess('other'))
    await other.acquire()
    await world.run(3_000)
    expect(holder.answers).to.deep.equal(['failed'])
    world.store.reconnect(holder.process)
    holder.flush('2')
    await world.run(100)
    expect(holder.answers).to.deep.equal(['failed', 'fenced'])
  })

  it('forgets what came within the last moment, and no more', async () => {
    const holder = await hold()
    await holder.world.run(5_000)
    holder.flush('1')
    await holder.world.run(5_000)
    holder.flush('2')
    await holder.world.run(500)
    holder.world.store.rollBack(1_000)
    expect(await stored(holder)).to.equal('1')
  })

  it('is the same as ever for the holder after it was rolled back: tokens and births stay', async () => {
    const holder = await hold()
    await holder.world.run(5_000)
    holder.world.store.rollBack(1_000)
    holder.flush('1')
    await holder.world.run(100)
    expect(holder.answers).to.deep.equal(['flushed'])
    const next = await new Holder(holder.world, holder.world.createProcess('next')).acquire()
    expect(next.bornMs).to.equal(holder.holding!.bornMs)
    expect(next.token).to.be.greaterThan(holder.holding!.token)
  })

  it('is empty when it was emptied', async () => {
    const holder = await hold()
    holder.flush('1')
    await holder.world.run(100)
    holder.world.store.empty()
    holder.flush('2')
    await holder.world.run(100)
    expect(holder.answers).to.deep.equal(['flushed', 'behind'])
    expect(await stored(holder)).to.equal(undefined)
  })

  it('lets later calls overtake one that is delayed', async () => {
    const holder = await hold()
    holder.world.store.delayNext(1_000)
    holder.flush('1')
    holder.flush('2', 0)
    await holder.world.run(2_000)
    expect(holder.answers).to.deep.equal(['flushed', 'stale'])
    expect(await stored(holder)).to.equal('2')
  })
})
