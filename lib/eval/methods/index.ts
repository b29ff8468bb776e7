/** All methods, by name. */
import { delimited } from './delimited.js'
import type { MethodDefinition } from './method.js'
import { none } from './none.js'
import { window } from './window.js'

const METHODS = [window, delimited, none] as const satisfies MethodDefinition[]

export type Method = (typeof METHODS)[number]['name']

/** @throws {RangeError} for a name that no method has. */
export function methodOf(name: unknown): MethodDefinition {
  const method = METHODS.find((method) => method.name === name)
  if (method) return method
  const names = METHODS.map(({ name }) => `'${name}'`)
  const known = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
  throw new RangeError(`Expected ${known} for method but received ${JSON.stringify(name)}`)
}
