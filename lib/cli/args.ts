/**
 * The options of a command as a table: each row says how an option is called, what it means, and how its text is read.
 * Parsing, types and help all come from it. Knows no option by name.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearestOf } from '../base/checks.js'

/** A command was called in a way it has no meaning for. */
export class UsageError extends Error {
  /** The help of the command, where it is worth showing. */
  help: string | undefined

  constructor(
    message: string,
    readonly wantsHelp = false,
  ) {
    super(message)
  }
}

/** A row of the table. */
export interface Option<T> {
  /** Without dashes. Default: the name in the table in kebab case. */
  name?: string | undefined
  /** A letter. */
  short?: string | undefined
  /** What the help calls its value; undefined: it has none. */
  value: string | undefined
  /** Its value may be left out, and is this one then. */
  implied?: string | undefined
  help: string
  /** What the help says of its absence. */
  default?: string | undefined
  /** It has to be given; as a text, with what. */
  required?: boolean | string | undefined
  /** @param texts Its values, in the order they were given; undefined if it was not. */
  read(texts: readonly string[] | undefined, option: string): T
}

/** By the names that the library has for them. */
export type Table = Readonly<Record<string, Option<unknown>>>

export type Values<T extends Table> = { [Name in keyof T]: T[Name] extends Option<infer V> ? V : never }

/** What a kind of option wants to know. */
interface Spec<T> extends Pick<Option<T>, 'name' | 'short' | 'implied'> {
  value: string
  help?: string
  default?: string
  /** The value where none is given. Leave it to the library where that has a default. */
  fallback?: T
}

type Read<T, S> = S extends { fallback: T } ? T : T | undefined

/** Any text. */
export function text<const S extends Spec<string>>(spec: S) {
  return valued<string, S>(spec, (text) => text)
}

/** A word of a few. */
export function oneOf<const W extends string, const S extends Spec<NoInfer<W>>>(words: readonly W[], spec: S) {
  return valued<W, S>(spec, (text, option) => {
    const word = words.find((word) => word === text)
    if (word === undefined) throw unexpected(words.join(' or '), option, text)
    return word
  })
}

/** A word of a few, in any case. It is the library that refuses others, in its own sentence. */
export function word<const W extends string, const S extends Spec<NoInfer<W>>>(words: readonly W[], spec: S) {
  return valued<W, S>(spec, (text) => words.find((word) => word === text.toLowerCase()) ?? (text as W))
}

export function number<const S extends Spec<number>>(spec: S) {
  return valued<number, S>(spec, numberOf)
}

export function integer<const S extends Spec<number>>(min: number, spec: S) {
  return valued<number, S>(spec, (text, option) => {
    const number = numberOf(text, option)
    if (!Number.isSafeInteger(number) || number < min) throw unexpected(`an integer ≥ ${min}`, option, text)
    return number
  })
}

/** A number of tokens, or `inf`. */
export function window<const S extends Spec<number>>(spec: S) {
  return valued<number, S>(spec, (text, option) => (/^inf(inity)?$/i.test(text) ? Infinity : numberOf(text, option)))
}

/** A number, or a word that stands for one. */
export function numberOr<const W extends string, const S extends Spec<number | NoInfer<W>>>(word: W, spec: S) {
  return valued<number | W, S>(spec, (text, option) => (text === word ? word : numberOf(text, option)))
}

/** A level, or a range of levels. */
export function range<const S extends Spec<[number, number]>>(spec: S) {
  return valued<[number, number], S>(spec, (text, option) => {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? []
    if (from === undefined) throw unexpected('a level or a range such as 1-8', option, text)
    return [Number(from), Number(to ?? from)]
  })
}

/** Texts with commas between them. */
export function list<const S extends Spec<string[]>>(spec: S) {
  return valued<string[], S>(spec, (text) => text.split(','))
}

/** An option that may be given more than once. */
export function repeated(spec: Spec<string[]>): Option<string[] | undefined> {
  return { ...spec, help: spec.help ?? '', read: (texts) => texts && [...texts] }
}

/** An option without a value. */
export function flag(spec: { name?: string; help: string }): Option<true | undefined>
/** @param spec.means The library's value for it. */
export function flag<const M>(spec: { name?: string; help: string; means: M }): Option<M | undefined>
export function flag({ means = true, ...spec }: { name?: string; help: string; means?: unknown }): Option<unknown> {
  return { ...spec, value: undefined, read: (texts) => texts && means }
}

/** @param what What is to be given, for the sentence that asks for it. */
export function required<T>(option: Option<T | undefined>, what?: string): Option<T> {
  return { ...option, required: what ?? true, read: option.read as Option<T>['read'] }
}

/** Of several values the last one counts. */
function valued<T, S extends Spec<T>>(spec: S, parse: (text: string, option: string) => T): Option<Read<T, S>> {
  const { fallback, ...row } = spec
  const read = (texts: readonly string[] | undefined, option: string) => {
    return texts === undefined ? fallback : parse(texts.at(-1) as string, option)
  }
  const shown = row.default ?? (fallback === undefined ? undefined : String(fallback))
  return { ...row, help: row.help ?? '', default: shown, read: read as Option<Read<T, S>>['read'] }
}

function numberOf(text: string, option: string): number {
  const number = text.trim() === '' ? NaN : Number(text)
  if (!Number.isFinite(number)) throw unexpected('a number', option, text)
  return number
}

function unexpected(expected: string, option: string, text: string): UsageError {
  return new UsageError(`Expected ${expected} for ${option} but received '${text}'`)
}

/** The name on the command line, with its dashes. */
export function optionName(key: string, { name }: Pick<Option<unknown>, 'name'>): string {
  return `--${name ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

/**
 * The values of all options, under the library's names, and the other arguments.
 * @throws {UsageError} for unknown options, missing and unreadable values.
 */
export function readArgs<T extends Table>(
  args: readonly string[],
  table: T,
): { values: Values<T>; operands: string[] } {
  const rows = Object.entries(table).map(([key, option]) => ({ key, option, name: optionName(key, option) }))
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const { option, name } of rows) {
    const short = option.short === undefined ? {} : { short: option.short }
    options[name.slice(2)] = { type: option.value === undefined ? 'boolean' : 'string', multiple: true, ...short }
  }
  const given = parse(withImplied(args, rows), options, rows)
  const values = rows.map(({ key, option, name }) => {
    return [key, option.read(given.values[name.slice(2)]?.map(String), name)]
  })
  return { values: Object.fromEntries(values) as Values<T>, operands: given.positionals }
}

/** The options that have to be given and are not, as a sentence names them. */
export function missing(table: Table, values: Values<Table>): string[] {
  return Object.entries(table)
    .filter(([key, { required }]) => required && values[key] === undefined)
    .map(([key, option]) => {
      return optionName(key, option) + (typeof option.required === 'string' ? ` with ${option.required}` : '')
    })
}

interface Row {
  key: string
  option: Option<unknown>
  name: string
}

/** Node's parseArgs knows no values that may be left out. */
function withImplied(args: readonly string[], rows: Row[]): string[] {
  const end = args.indexOf('--')
  return args.map((arg, i) => {
    const row = rows.find(({ name, option }) => option.implied !== undefined && name === arg)
    return row && (end < 0 || i < end) ? `${arg}=${row.option.implied}` : arg
  })
}

type Given = { values: Record<string, (string | boolean)[] | undefined>; positionals: string[] }

function parse(args: string[], options: NonNullable<ParseArgsConfig['options']>, rows: Row[]): Given {
  try {
    return parseArgs({ args, options, allowPositionals: true }) as Given
  } catch (error) {
    // The first sentence says what is wrong, the next ones guess at why.
    const message = (error as Error).message.split(/\.\s/)[0] as string
    const [, unknown] = /^Unknown option '-+([^']*)'/.exec(message) ?? []
    const [, ambiguous] = /^Option '-+([^']*)' argument is ambiguous/.exec(message) ?? []
    const row = rows.find(({ name, option }) => ambiguous && [name.slice(2), option.short].includes(ambiguous))
    if (row) throw new UsageError(`${message}: a value that begins with a dash is given as ${row.name}=…`, true)
    if (!unknown) throw new UsageError(message, true)
    // Who knows the library may use its name.
    const known = new Map(rows.flatMap(({ key, name }) => [name.slice(2), key].map((word) => [word, name])))
    const nearest = known.get(nearestOf(unknown, [...known.keys()]) ?? '')
    throw new UsageError(nearest ? `${message}: did you mean ${nearest}?` : message, true)
  }
}
