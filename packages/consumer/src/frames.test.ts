import { encodeFrame, type Stamp } from '@tandem/common/internal'
import { expect } from 'chai'

import { Frames, isFrame, type FrameRecord } from './frames.js'
import type { FeedRecord } from './kafka/feed-client.js'

const STAMP: Stamp = {
  kind: 'frame',
  producerId: 'p',
  epoch: 1,
  incarnation: 1,
  keyRange: 0,
  first: 5,
  count: 2,
}
const MESSAGES = [
  { key: Buffer.from('k'), value: Buffer.from('a'), timestampMs: 1, headers: [{ h: 'ä' }, { h: 'x' }] },
  { key: null, value: null, timestampMs: 2, headers: [] },
]

function record(value: Uint8Array | null): FeedRecord {
  const headers = [{ tandem: Buffer.from('1:f:p:1:1:0:5:2') }]
  return { topic: 't', partition: 3, offset: 7, key: null, value: value && Buffer.from(value), timestampMs: 1, headers }
}

describe('frames', () => {
  it('gives each message as a record of its own, at the place of the frame', () => {
    const unpacked = new Frames().unpack(0, record(encodeFrame(MESSAGES)), STAMP) as FrameRecord
    expect(isFrame(unpacked)).to.equal(true)
    expect(unpacked.first).to.equal(5)
    const place = { topic: 't', partition: 3, offset: 7 }
    expect(unpacked.messages).to.deep.equal([
      { ...place, ...MESSAGES[0], headers: [{ h: Buffer.from('ä') }, { h: Buffer.from('x') }] },
      { ...place, ...MESSAGES[1] },
    ])
    expect((unpacked.messages as FeedRecord[])[0]!.value).to.be.instanceOf(Buffer)
  })

  it("gives the reason for one that cannot be unpacked, and the whole of it once the other log's cannot either", () => {
    const frames = new Frames()
    expect(frames.unpack(0, record(Buffer.of(1)), STAMP))
      .to.be.a('string')
      .that.contains('frame')
    expect(frames.unpack(0, record(Buffer.of(1)), STAMP), 'again in the same log').to.be.a('string')
    expect(frames.unpack(1, record(Buffer.of(1)), { ...STAMP, first: 6 }), 'another run').to.be.a('string')
    expect(frames.unpack(1, record(Buffer.of(1)), { ...STAMP, epoch: 2 }), 'another sequence').to.be.a('string')
    const whole = frames.unpack(1, record(null), STAMP) as FrameRecord
    expect(whole.messages).to.include({ code: 'TANDEM_FRAME_MALFORMED' })
  })

  it('remembers a thousand of them, and forgets the oldest', () => {
    const frames = new Frames()
    for (let first = 1; first <= 1_001; first++) frames.unpack(0, record(null), { ...STAMP, first })
    expect(frames.unpack(1, record(null), { ...STAMP, first: 1 })).to.be.a('string')
    expect(frames.unpack(1, record(null), { ...STAMP, first: 2 })).not.to.be.a('string')
  })
})
