/**
 * What was received, as text for an error message: on one line, printable, bounded. Never throws, whatever comes.
 */
export function received(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return `"${printable(value)}" (string)`
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return 'a bigint'
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'symbol':
      return 'a symbol'
    case 'function':
      return 'a function'
    case 'object':
      return value === null ? 'null' : objectKind(value)
  }
}

/** At most `max` printable characters of `text`; what is cut off shows as `…`, what is not printable as `.`. */
export function printable(text: string, max = RECEIVED_CHARACTERS_MAX): string {
  const shown = text.length > max ? text.slice(0, max - 1) + '…' : text
  return shown.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '.')
}

function objectKind(value: object): string {
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`
    if (value instanceof Uint8Array) return `${value.length} bytes`
    const name: unknown = (value.constructor as { name?: unknown } | undefined)?.name
    return typeof name !== 'string' || name === '' || name === 'Object'
      ? 'an object'
      : `an instance of ${printable(name)}`
  } catch {
    return 'an object' // a proxy or a getter that throws
  }
}

/** Long enough to recognise what one typed, short enough for a log line; and a secret pasted by mistake stays partial. */
const RECEIVED_CHARACTERS_MAX = 64
