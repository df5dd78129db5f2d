import { printable } from '@tandem/common/internal'

/** What is said of anybody's error in an event that counts: its code or its name, one of few. Never throws. */
export function errorKind(error: unknown): string {
  try {
    if (!(error instanceof Error)) return typeof error
    const { code, name } = error as { readonly code?: unknown; readonly name: unknown }
    return printable(typeof code === 'string' && code !== '' ? code : String(name))
  } catch {
    return 'object' // a proxy or a getter that throws
  }
}
