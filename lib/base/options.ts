/**
 * Options as a table: each by its name, with its kind and its default. What a table lists is checked, typed and all there
 * is; how options depend on each other is checked where the table is read. Knows no option by name.
 */
import { fieldsOf, type Kind, unknownName } from './checks.js'

export interface Option<T> extends Kind<T> {
  /** What an absent one is. */
  default?: T
  required: boolean
}

/** The values that a table of options gives. */
export type Read<Table> = { [Name in keyof Table]: Table[Name] extends Option<infer T> ? T : never }

/** An option that may be absent, and then is `fallback`. */
export function option<T>(kind: Kind<T>): Option<T | undefined>
export function option<T>(kind: Kind<T>, fallback: NoInfer<T>): Option<T>
export function option<T>(kind: Kind<T>, fallback?: T): Option<T | undefined> {
  return { ...kind, default: fallback, required: false }
}

export function required<T>(kind: Kind<T>): Option<T> {
  return { expected: kind.expected, read: kind.read, required: true }
}

/**
 * @param input A plain object, or undefined for none at all.
 * @param within The option whose value it is, for the sentences.
 * @throws {TypeError} for a name that is not in the table: it names the nearest one.
 * @throws {TypeError|RangeError} for a wrong value, and a required option that is absent.
 */
export function readOptions<Table extends Record<string, Option<unknown>>>(
  table: Table,
  input: unknown,
  within?: string,
): Read<Table> {
  const given = fieldsOf(input === undefined ? {} : input, within ?? 'options')
  const names = Object.keys(table)
  for (const key of given.keys()) {
    if (!names.includes(key)) throw unknownName(within ? `key ${key} of ${within}` : `option ${key}`, key, names)
  }
  const values = Object.entries(table).map(([name, option]) => {
    const isRead = option.required || given.has(name)
    const where = within ? `${within}.${name}` : name
    return [name, isRead ? option.read(given.get(name), where) : option.default]
  })
  return Object.fromEntries(values) as Read<Table>
}
