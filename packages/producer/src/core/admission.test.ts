import { expect } from 'chai'

import { Admission, type AdmissionOptions, type Applicant, type Obstacle } from './admission.js'
import { sequences, topic } from './given.test.js'
import type { Sequence } from './sequencer.js'

class Message implements Applicant {
  admission: Applicant['admission'] = 'outside'
  admissionDeadline = 0
  obstacle: Obstacle | undefined

  constructor(
    readonly name: string,
    readonly sequence: Sequence,
    public encoded: boolean,
    readonly bytes: number,
    readonly patient: boolean,
  ) {}
}

const [A, B] = sequences(2, topic(2)) as [Sequence, Sequence]

class Bench {
  readonly admission: Admission<Message>

  constructor(options: Partial<AdmissionOptions<Message>> = {}) {
    this.admission = new Admission({
      policy: 'block',
      messagesMax: 2,
      bytesMax: 1_000,
      waitMs: 500,
      obstacle: ({ obstacle }) => obstacle,
      ...options,
    })
  }

  call(
    name: string,
    {
      sequence = A,
      encoded = true,
      bytes = 10,
      patient = false,
      obstacle,
      at = 0,
    }: {
      sequence?: Sequence
      encoded?: boolean
      bytes?: number
      patient?: boolean
      obstacle?: Obstacle
      at?: number
    } = {},
  ): Message {
    const message = new Message(name, sequence, encoded, bytes, patient)
    message.obstacle = obstacle
    this.admission.handleCall(message, at)
    return message
  }

  encoded(message: Message): void {
    message.encoded = true
    this.admission.handleEncoded(message)
  }

  said(): string {
    const said: string[] = []
    for (let command = this.admission.poll(); command !== undefined; command = this.admission.poll()) {
      said.push(command.kind === 'admit' ? command.applicant.name : `${command.applicant.name}:${command.reason}`)
    }
    return said.join(' ')
  }
}

describe('admission', () => {
  it('lets a message in at the call when there is room and nothing before it', () => {
    const bench = new Bench()
    bench.call('a1')
    bench.call('b1', { sequence: B })
    expect(bench.said()).to.equal('a1 b1')
    expect(bench.admission).to.include({ messages: 2, bytes: 20, waiting: 0 })
  })

  it('keeps the order of calls within a key range, whatever the codecs take', () => {
    const bench = new Bench({ messagesMax: 10 })
    const a1 = bench.call('a1', { encoded: false })
    bench.call('a2')
    bench.call('b1', { sequence: B })
    const a3 = bench.call('a3', { encoded: false })
    bench.call('a4')
    expect(bench.said()).to.equal('b1') // another line does not wait
    bench.encoded(a3)
    expect(bench.said()).to.equal('')
    bench.encoded(a1)
    expect(bench.said()).to.equal('a1 a2 a3 a4')
  })

  it('lets the line go on when a message in it turns out to be invalid', () => {
    const bench = new Bench({ messagesMax: 10 })
    const [a1, a2] = [bench.call('a1', { encoded: false }), bench.call('a2', { encoded: false })]
    bench.call('a3')
    bench.admission.handleWithdrawn(a2)
    bench.admission.handleWithdrawn(a1)
    expect(bench.said()).to.equal('a3')
    expect(bench.admission.waiting).to.equal(0)
  })

  it('block: waits for room in the window, first come first served', () => {
    const bench = new Bench()
    const first = bench.call('a1')
    for (const name of ['a2', 'a3', 'a4']) bench.call(name)
    expect(bench.said()).to.equal('a1 a2')
    bench.admission.handleDone(first)
    expect(bench.said()).to.equal('a3')
  })

  it('block: sheds what has waited for too long', () => {
    const bench = new Bench({ messagesMax: 1 })
    bench.call('a1')
    bench.call('a2', { at: 100 })
    expect(bench.said()).to.equal('a1')
    expect(bench.admission.deadline()).to.equal(600)
    bench.admission.handleDeadline(600)
    expect(bench.said()).to.equal('a2:window')
    expect(bench.admission.deadline()).to.equal(undefined)
  })

  it('reject: sheds at once when the window is full', () => {
    const bench = new Bench({ policy: 'reject' })
    for (const name of ['a1', 'a2', 'a3']) bench.call(name)
    expect(bench.said()).to.equal('a1 a2 a3:window')
  })

  it('reject: a patient message waits for room all the same, and does not make others wait', () => {
    const bench = new Bench({ policy: 'reject', messagesMax: 1 })
    const first = bench.call('a1')
    bench.call('p1', { patient: true, sequence: B })
    bench.call('a2')
    expect(bench.said()).to.equal('a1 a2:window')
    bench.admission.handleDone(first)
    expect(bench.said()).to.equal('p1')
  })

  it('bounds the window in bytes, but lets in a message that is larger when the window is empty', () => {
    const bench = new Bench({ messagesMax: 10 })
    const large = bench.call('large', { bytes: 2_000 })
    bench.call('small', { sequence: B })
    expect(bench.said()).to.equal('large')
    bench.admission.handleDone(large)
    expect(bench.said()).to.equal('small')
  })

  it('block: waits when neither cluster takes the partition, without holding up other partitions', () => {
    const bench = new Bench()
    const a1 = bench.call('a1', { obstacle: 'both-away' })
    bench.call('b1', { sequence: B })
    expect(bench.said()).to.equal('b1')
    a1.obstacle = undefined
    bench.admission.handleReach()
    expect(bench.said()).to.equal('a1')
  })

  it('reject: sheds at once when neither cluster takes the partition', () => {
    const bench = new Bench({ policy: 'reject' })
    bench.call('a1', { obstacle: 'both-away', patient: true })
    expect(bench.said()).to.equal('a1:both-away')
  })

  it('sheds at once under both policies when both must have it and one is away', () => {
    for (const policy of ['block', 'reject'] as const) {
      const bench = new Bench({ policy })
      bench.call('a1', { obstacle: 'cluster-away' })
      expect(bench.said()).to.equal('a1:cluster-away')
    }
  })

  it('stops when a lane holds all that it may of what nobody has', () => {
    const blocked = new Bench()
    const a1 = blocked.call('a1', { obstacle: 'backlog' })
    expect(blocked.said()).to.equal('')
    a1.obstacle = undefined
    expect(blocked.said()).to.equal('a1')
    const rejected = new Bench({ policy: 'reject' })
    rejected.call('a1', { obstacle: 'backlog' })
    expect(rejected.said()).to.equal('a1:backlog')
  })

  it('bounds what waits, in number and bytes', () => {
    const byNumber = new Bench({ messagesMax: 1 })
    for (const name of ['a1', 'a2', 'a3']) byNumber.call(name)
    expect(byNumber.said()).to.equal('a1 a3:waiting')
    const byBytes = new Bench({ messagesMax: 10 })
    for (const name of ['a1', 'a2', 'a3']) byBytes.call(name, { bytes: 1_001 })
    expect(byBytes.said()).to.equal('a1 a3:waiting')
  })

  it('sheds a message whose codec does not come back, and lets its line go on', () => {
    const bench = new Bench({ policy: 'reject' })
    const a1 = bench.call('a1', { encoded: false })
    bench.call('a2', { at: 1 })
    bench.admission.handleDeadline(500)
    expect(bench.said()).to.equal('a1:codec a2')
    bench.encoded(a1) // too late
    expect(bench.said()).to.equal('')
  })

  it('turns everybody away when it is closed', () => {
    const bench = new Bench({ messagesMax: 1 })
    bench.call('a1')
    bench.call('a2')
    expect(bench.said()).to.equal('a1')
    bench.admission.close()
    expect(bench.said()).to.equal('a2:closed')
    expect(bench.admission.waiting).to.equal(0)
  })
})
