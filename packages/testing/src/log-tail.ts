import { open } from 'node:fs/promises'

/** The last lines of a file, for an error message; an empty text if there is nothing. Never throws. */
export async function logTail(file: string): Promise<string> {
  try {
    const handle = await open(file)
    try {
      const { size } = await handle.stat()
      const length = Math.min(size, TAIL_BYTES_MAX)
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length)
      const lines = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n')
      return lines.slice(-TAIL_LINES_MAX).join('\n')
    } finally {
      await handle.close()
    }
  } catch {
    return ''
  }
}

/** A Java exception with its causes shows its reason within this. */
const TAIL_LINES_MAX = 30
const TAIL_BYTES_MAX = 8_192
