import { encodeFrame, encodeStamp } from '@tandem/common/internal'

import type { LogEntry } from '../simulation/simulated-log.js'

/**
 * Logs as the protocol writes them: `1 v2 2 3`, `v1–5 6 7`, `2:1` (epoch 2, counter 1), `X1 Y2` (sequences of two key
 * ranges), `1…40` (one record each), `f1…3` (one frame), `f1…3!` (one that cannot be unpacked). What stands there is also the payload, so that a delivery can be named by it.
 */
export interface WrittenRecord {
  readonly text: string
  readonly entry: LogEntry
}

export function readLog(notation: string): WrittenRecord[] {
  return notation.split(/\s+/).filter(Boolean).flatMap(readToken)
}

/** `1 3…5 late 2` as `1`, `3`, `4`, `5`, `late 2`: `late` is about all that follows within one piece of text. */
export function readDelivered(notation: string): string[] {
  let late = ''
  return notation.split(/[\s,]+/).flatMap((token) => {
    if (token === 'late') late = 'late '
    if (token === '' || token === 'late') return []
    return readLog(token).map(({ text }) => late + text)
  })
}

function readToken(token: string): WrittenRecord[] {
  if (UNSTAMPED.test(token)) {
    return [{ text: token, entry: { key: null, value: Buffer.from(token), timestampMs: 0, headers: [] } }]
  }
  const parts = TOKEN.exec(token)?.groups
  if (parts === undefined)
    throw new Error(`${token}: not a record; write 1, v2, v1–5, 2:1, X1, 1…5, or a letter for one without a stamp`)
  const { kind, sequence = '', epoch, first, last, broken } = parts
  const from = Number(first)
  const to = Number(last ?? first)
  const name = `${sequence}${epoch === undefined ? '' : `${epoch}:`}`
  const at = { keyRange: sequence === '' ? 0 : sequence.charCodeAt(0) - LETTER_OF_0, epoch: Number(epoch ?? 1) }
  if (kind === 'v') return [{ text: token, entry: voidEntry({ ...at, first: from, count: to - from + 1 }) }]
  const texts = Array.from({ length: to - from + 1 }, (_, index) => `${name}${from + index}`)
  if (kind === 'f') {
    const value = broken === undefined ? frameOf(texts) : Buffer.from(token)
    return [{ text: token, entry: frameEntry({ ...at, first: from, count: to - from + 1 }, value) }]
  }
  return texts.map((text, index) => ({ text, entry: dataEntry({ ...at, counter: from + index }, text) }))
}

/** A record with a message, as a producer would have written it. */
export function dataEntry(at: { keyRange: number; epoch: number; counter: number }, value: string): LogEntry {
  const stamp = encodeStamp({ kind: 'data', ...id(at), first: at.counter, count: 1 })
  return { key: null, value: Buffer.from(value), timestampMs: 0, headers: [{ tandem: stamp }] }
}

function frameOf(texts: readonly string[]): Uint8Array {
  return encodeFrame(texts.map((text) => ({ key: null, value: Buffer.from(text), timestampMs: 0, headers: [] })))
}

function frameEntry(
  at: { keyRange: number; epoch: number; first: number; count: number },
  value: Uint8Array,
): LogEntry {
  const stamp = encodeStamp({ kind: 'frame', ...id(at), first: at.first, count: at.count })
  return { key: null, value, timestampMs: 0, headers: [{ tandem: stamp }] }
}

function voidEntry(at: { keyRange: number; epoch: number; first: number; count: number }): LogEntry {
  const stamp = encodeStamp({ kind: 'void', ...id(at), first: at.first, count: at.count })
  return { key: null, value: null, timestampMs: 0, headers: [{ tandem: stamp }] }
}

function id({ keyRange, epoch }: { keyRange: number; epoch: number }): {
  producerId: string
  keyRange: number
  epoch: number
  incarnation: number
} {
  return { producerId: 'ledger', keyRange, epoch, incarnation: epoch }
}

const TOKEN = /^(?<kind>[vf]?)(?<sequence>[A-Z]?)(?:(?<epoch>\d+):)?(?<first>\d+)(?:[…–](?<last>\d+))?(?<broken>!)?$/
const UNSTAMPED = /^[a-z]$/
const LETTER_OF_0 = 'X'.charCodeAt(0)
