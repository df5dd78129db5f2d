/**
 * Options as data: one table per set of options holds unit, range, default and meaning of each. What it says is
 * checked here, typed from it, and printed in the manual from it, so that the three cannot disagree.
 */
import { InvariantError, OptionsInvalidError } from './errors.js'
import { printable, received } from './received.js'

interface Described {
  /** What it decides, and what the default means. */
  readonly meaning: string
  /** May be left out without a default: the value is then undefined. */
  readonly optional?: boolean
}

export interface NumberOption extends Described {
  readonly kind: 'number'
  /** `ms`, `bytes`, `messages` …; Kafka's own words. */
  readonly unit: string
  readonly min: number
  readonly max: number
  /** Integers only, unless this is true. */
  readonly fractional?: boolean
  readonly default?: number
}

export interface EnumOption extends Described {
  readonly kind: 'enum'
  readonly values: readonly string[]
  readonly default?: string
}

export interface StringOption extends Described {
  readonly kind: 'string'
  /** What the pattern means, in words; `text` if anything that is not empty will do. */
  readonly allowed?: string
  readonly pattern?: RegExp
  readonly default?: string
}

export interface BooleanOption extends Described {
  readonly kind: 'boolean'
  readonly default?: boolean
}

/** Nested options. Left out, they are read as `{}`, unless `optional` is true. */
export interface ObjectOption extends Described {
  readonly kind: 'object'
  readonly options: OptionsSpec
}

/** Values of one kind under names that the user chooses. Left out, it is empty, unless `optional` is true. */
export interface MapOption extends Described {
  readonly kind: 'map'
  readonly of: OptionSpec
  /** What a name must look like; anything that is not empty without it. */
  readonly names?: RegExp
  readonly countMin?: number
  readonly countMax?: number
}

/** Values of one kind in a row. Left out, it is empty, unless `optional` is true. */
export interface ListOption extends Described {
  readonly kind: 'list'
  readonly of: OptionSpec
  readonly countMin?: number
  readonly countMax?: number
}

/** A function or an instance, taken as it is if `check` says so. */
export interface OpaqueOption extends Described {
  readonly kind: 'opaque'
  readonly check: (value: unknown) => boolean
  /** What `check` wants, in words. */
  readonly allowed: string
  readonly default?: unknown
}

export type OptionSpec =
  NumberOption | EnumOption | StringOption | BooleanOption | ObjectOption | MapOption | ListOption | OpaqueOption

export interface OptionsSpec {
  readonly [name: string]: OptionSpec
}

/** What `readOptions` returns: every option of the table, defaults filled in. */
export type Options<S extends OptionsSpec> = { readonly [K in keyof S]: Read<S[K]> }

/** What a user may write. */
export type OptionsGiven<S extends OptionsSpec> = Simplify<
  { readonly [K in keyof S as MayBeAbsent<S[K]> extends true ? never : K]: Given<S[K]> } & {
    readonly [K in keyof S as MayBeAbsent<S[K]> extends true ? K : never]?: Given<S[K]> | undefined
  }
>

type Read<O extends OptionSpec> = O extends { readonly optional: true } ? ReadPresent<O> | undefined : ReadPresent<O>

type ReadPresent<O extends OptionSpec> = O extends ObjectOption
  ? Options<O['options']>
  : O extends MapOption
    ? { readonly [name: string]: Read<O['of']> }
    : O extends ListOption
      ? readonly Read<O['of']>[]
      : Scalar<O>

type Given<O extends OptionSpec> = O extends ObjectOption
  ? OptionsGiven<O['options']>
  : O extends MapOption
    ? { readonly [name: string]: Given<O['of']> }
    : O extends ListOption
      ? readonly Given<O['of']>[]
      : Scalar<O>

type Scalar<O> = O extends NumberOption
  ? number
  : O extends EnumOption
    ? O['values'][number]
    : O extends StringOption
      ? string
      : O extends BooleanOption
        ? boolean
        : O extends { readonly check: (value: unknown) => value is infer T }
          ? T
          : unknown

/** An object may be left out when nothing in it is required; a map or a list always may. */
type MayBeAbsent<O extends OptionSpec> = O extends { readonly optional: true }
  ? true
  : O extends ObjectOption
    ? Record<never, never> extends OptionsGiven<O['options']>
      ? true
      : false
    : O extends MapOption | ListOption
      ? true
      : 'default' extends keyof O
        ? true
        : false

type Simplify<T> = { [K in keyof T]: T[K] }

/**
 * Checks what a user gave against the table and fills in the defaults.
 *
 * An option that is undefined counts as left out; null does not.
 *
 * @param path where these options stand, as the user would write it: `producer`, `producer.topics.entries`.
 * @throws OptionsInvalidError `TANDEM_OPTIONS_INVALID`: names the path, what was received and what is allowed.
 */
export function readOptions<const S extends OptionsSpec>(spec: S, given: unknown, path: string): Options<S> {
  return readObject(spec, given, path) as Options<S>
}

function readObject(spec: OptionsSpec, given: unknown, path: string): Record<string, unknown> {
  const fields = fieldsOf(given, path)
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(spec, name)) {
      throw invalid(`${path}.${name}`, 'an unknown option', `one of ${Object.keys(spec).join(', ')}`)
    }
  }
  const read: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(spec)) {
    read[name] = readOption(option, Object.hasOwn(fields, name) ? fields[name] : undefined, `${path}.${name}`)
  }
  return Object.freeze(read)
}

function readOption(option: OptionSpec, given: unknown, path: string): unknown {
  if (given === undefined) {
    if ('default' in option && option.default !== undefined) return readPresent(option, option.default, path)
    if (option.optional === true) return undefined
    if (option.kind === 'object' || option.kind === 'map') return readPresent(option, {}, path)
    if (option.kind === 'list') return readPresent(option, [], path)
  }
  return readPresent(option, given, path)
}

function readPresent(option: OptionSpec, given: unknown, path: string): unknown {
  switch (option.kind) {
    case 'number':
    case 'enum':
    case 'string':
    case 'boolean':
    case 'opaque':
      if (isAllowed(option, given)) return given
      throw invalid(path, given === undefined ? 'nothing' : received(given), allowedText(option))
    case 'object':
      return readObject(option.options, given, path)
    case 'map':
      return readMap(option, given, path)
    case 'list':
      return readList(option, given, path)
    default:
      throw unknownKind(option)
  }
}

function isAllowed(
  option: NumberOption | EnumOption | StringOption | BooleanOption | OpaqueOption,
  given: unknown,
): boolean {
  switch (option.kind) {
    case 'number':
      return (
        typeof given === 'number' &&
        given >= option.min &&
        given <= option.max &&
        (option.fractional === true || Number.isInteger(given))
      )
    case 'enum':
      return typeof given === 'string' && option.values.includes(given)
    case 'string':
      return typeof given === 'string' && given !== '' && (option.pattern === undefined || option.pattern.test(given))
    case 'boolean':
      return typeof given === 'boolean'
    case 'opaque':
      return option.check(given)
    default:
      throw unknownKind(option)
  }
}

/** What an option allows, in words: for error messages and the manual. */
export function allowedText(option: OptionSpec): string {
  const fallback = 'default' in option && option.default !== undefined && option.kind !== 'opaque'
  return whatText(option) + (fallback ? `; default ${String(option.default)}` : '')
}

function whatText(option: OptionSpec): string {
  switch (option.kind) {
    case 'number':
      return `${option.fractional === true ? 'a number' : 'an integer'} from ${option.min} to ${option.max} ${option.unit}`
    case 'enum':
      return option.values.map((value) => `'${value}'`).join(' or ')
    case 'string':
      return option.allowed ?? (option.pattern === undefined ? 'text that is not empty' : `text like ${option.pattern}`)
    case 'boolean':
      return 'true or false'
    case 'opaque':
      return option.allowed
    case 'object':
      return `an object of ${Object.keys(option.options).join(', ')}`
    case 'map':
      return `an object of ${countText(option)} by name`
    case 'list':
      return `an array of ${countText(option)}`
    default:
      throw unknownKind(option)
  }
}

function countText({ countMin = 0, countMax = COUNT_MAX }: MapOption | ListOption): string {
  if (countMin === countMax) return `exactly ${countMin}`
  return `${countMin} to ${countMax}`
}

function readMap(option: MapOption, given: unknown, path: string): Record<string, unknown> {
  const entries = Object.entries(fieldsOf(given, path))
  checkCount(option, entries.length, path)
  const names = option.names ?? /./
  for (const [name] of entries) {
    if (!names.test(name)) throw invalid(path, `the name ${received(name)}`, `names like ${names}`)
  }
  return Object.freeze(
    Object.fromEntries(entries.map(([name, value]) => [name, readOption(option.of, value, `${path}.${name}`)])),
  )
}

function readList(option: ListOption, given: unknown, path: string): readonly unknown[] {
  if (!Array.isArray(given)) throw invalid(path, received(given), allowedText(option))
  checkCount(option, given.length, path)
  // Array.from, since map() would jump over the holes of a sparse array.
  return Object.freeze(Array.from(given, (value: unknown, index) => readOption(option.of, value, `${path}[${index}]`)))
}

function checkCount(option: MapOption | ListOption, count: number, path: string): void {
  const { countMin = 0, countMax = COUNT_MAX } = option
  if (count < countMin || count > countMax) throw invalid(path, `${count} of them`, allowedText(option))
}

/** The fields of an object literal; a Map, a Date or an array would quietly look like one without any. */
function fieldsOf(given: unknown, path: string): Record<string, unknown> {
  if (Object.prototype.toString.call(given) === '[object Object]') return given as Record<string, unknown>
  throw invalid(path, given === undefined ? 'nothing' : received(given), 'an object')
}

function unknownKind(option: never): InvariantError {
  return new InvariantError(`no option is ${received(option)}`)
}

function invalid(path: string, got: string, allowed: string): OptionsInvalidError {
  return new OptionsInvalidError(
    `option ${printable(path, PATH_CHARACTERS_MAX)}: received ${got}, allowed is ${allowed}`,
    {
      path,
      received: got,
      allowed,
    },
  )
}

/** Room for the deepest of ours with a topic's name in it, which Kafka bounds to 249. */
const PATH_CHARACTERS_MAX = 320
/** Topics or clusters that one instance could sensibly be given by hand; a bound all the same. */
const COUNT_MAX = 10_000
