/**
 * The fields of a request as a table: each is used, accepted without effect and named in a warning, or refused unless it has the
 * one value that asks for nothing. A field that is in no table is named in a warning. Knows no field by name.
 */
import { type Kind, nearestOf } from '../base/checks.js'
import { oneLine } from '../base/one-line.js'
import { RequestError } from './error.js'

export type Field<T = unknown> =
  | { does: 'use'; kind: Kind<T> }
  /** It has no effect here. `why` is for those who read the table. */
  | { does: 'ignore'; why: string }
  /** What asks for nothing is accepted. */
  | { does: 'refuse'; unless: (value: unknown) => boolean; why: string }

export type FieldTable = Readonly<Record<string, Field<unknown>>>

export function use<T>(kind: Kind<T>): Field<T> & { does: 'use' } {
  return { does: 'use', kind }
}

export function ignore(why: string): Field<never> {
  return { does: 'ignore', why }
}

/** @param neutral Values that ask for nothing. */
export function refuse(why: string, ...neutral: unknown[]): Field<never> {
  return { does: 'refuse', unless: (value) => neutral.includes(value), why }
}

/** @param isNeutral Whether a value asks for nothing. */
export function refuseUnless(why: string, isNeutral: (value: unknown) => boolean): Field<never> {
  return { does: 'refuse', unless: isNeutral, why }
}

export type FieldValues<T extends FieldTable> = {
  -readonly [Name in keyof T as T[Name] extends { does: 'use' } ? Name : never]?: T[Name] extends {
    does: 'use'
    kind: Kind<infer V>
  }
    ? V
    : never
}

/**
 * @param given A request's body. Null is absent, as in the clients' own types.
 * @param warnings Gets a line for each field that has no effect.
 * @throws {RequestError} for a wrong value and for what is not supported.
 */
export function readFields<T extends FieldTable>(
  table: T,
  given: ReadonlyMap<string, unknown>,
  warnings: string[],
): FieldValues<T> {
  const values: Record<string, unknown> = {}
  for (const [name, value] of given) {
    if (value === undefined || value === null) continue
    const field = Object.hasOwn(table, name) ? table[name] : undefined
    if (!field) warnings.push(unknownField(name, Object.keys(table)))
    else if (field.does === 'use') values[name] = read(field.kind, value, name)
    else if (field.does === 'ignore') warnings.push(`${name} has no effect`)
    else if (!field.unless(value)) throw new RequestError(`${name} is not supported: ${field.why}`, name)
  }
  return values as FieldValues<T>
}

/** A kind's sentence is the client's, and so is the fault. */
function read<T>(kind: Kind<T>, value: unknown, name: string): T {
  try {
    return kind.read(value, name)
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw new RequestError(error.message, name)
    throw error
  }
}

function unknownField(name: string, known: string[]): string {
  const nearest = nearestOf(name, known)
  return `${oneLine(name, 60)} is unknown${nearest ? ` (did you mean ${nearest}?)` : ''}`
}
