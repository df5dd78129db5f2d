/** What JSON from outside is to look like: each shape gives back what it takes for good, or says which part is not. */
export type Shape<Value> = (found: unknown, path: string) => Value

export const text: Shape<string> = (found, path) => (typeof found === 'string' ? found : refuse(found, path, 'a text'))

export const flag: Shape<boolean> = (found, path) =>
  typeof found === 'boolean' ? found : refuse(found, path, 'true or false')

/** JSON writes what is no number (nothing by nothing) as null. */
export const number: Shape<number> = (found, path) =>
  found === null ? NaN : typeof found === 'number' ? found : refuse(found, path, 'a number')

export function orNull<Value>(shape: Shape<Value>): Shape<Value | null> {
  return (found, path) => (found === null ? null : shape(found, path))
}

export function optional<Value>(shape: Shape<Value>): Shape<Value | undefined> {
  return (found, path) => (found === undefined ? undefined : shape(found, path))
}

export function listOf<Value>(shape: Shape<Value>): Shape<readonly Value[]> {
  return (found, path) =>
    Array.isArray(found) ? found.map((item, index) => shape(item, `${path}[${index}]`)) : refuse(found, path, 'a list')
}

export function recordOf<Value>(shape: Shape<Value>): Shape<Readonly<Record<string, Value>>> {
  return (found, path) =>
    Object.fromEntries(Object.entries(objectAt(found, path)).map(([key, value]) => [key, shape(value, at(path, key))]))
}

/** Keys that it does not name are left out. */
export function objectOf<Value>(shapes: { readonly [Key in keyof Value]-?: Shape<Value[Key]> }): Shape<Value> {
  return (found, path) => {
    const object = objectAt(found, path)
    const entries = Object.entries<Shape<unknown>>(shapes).map(([key, shape]) => [
      key,
      shape(object[key], at(path, key)),
    ])
    return Object.fromEntries(entries) as Value
  }
}

function objectAt(found: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) refuse(found, path, 'an object')
  return found as Readonly<Record<string, unknown>>
}

function at(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function refuse(found: unknown, path: string, allowed: string): never {
  const received = found === undefined ? 'nothing' : JSON.stringify(found).slice(0, RECEIVED_LENGTH_MAX)
  throw new Error(`${path === '' ? '' : `${path}: `}received ${received}, allowed is ${allowed}`)
}

const RECEIVED_LENGTH_MAX = 60
