/** Reading the arguments of a call by the names of its parameters. */
import { TemplateError } from './budget.js'
import type { Text } from './text.js'
import { type Arguments, isText, typeName, Undefined, type Value } from './values.js'

/** The values in the order of `names`; undefined for what was not given. */
export function bind(args: Arguments, name: string, ...names: string[]): (Value | undefined)[] {
  if (args.positional.length > names.length) {
    throw new TemplateError(`${name} takes at most ${names.length} arguments, got ${args.positional.length}`)
  }
  const values: (Value | undefined)[] = [...args.positional]
  for (const [key, value] of args.named) {
    const index = names.indexOf(key)
    if (index < 0) throw new TemplateError(`${name} got an unexpected argument '${key.slice(0, 40)}'`)
    if (values[index] !== undefined) throw new TemplateError(`${name} got several values for '${key}'`)
    values[index] = value
  }
  values.length = names.length
  return values
}

export function textArgument(value: Value | undefined, name: string): Text {
  if (value !== undefined && isText(value)) return value
  if (value === undefined) throw new TemplateError(`${name} misses an argument`)
  if (value instanceof Undefined) value.fail()
  throw new TemplateError(`${name} expects str, not ${typeName(value)}`)
}
