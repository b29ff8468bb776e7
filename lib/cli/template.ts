/** Variables of chat templates, as commands are given them. */
import type { JsonValue } from '../jinja/convert.js'
import { UsageError } from './args.js'

/** Of `NAME=VALUE`, each. @throws {UsageError} for another form. */
export function readVariables(given: readonly string[] | undefined): Record<string, JsonValue> | undefined {
  return given && Object.fromEntries(given.map(readVariable))
}

function readVariable(given: string): [name: string, value: JsonValue] {
  const [, name, value] = /^([A-Za-z_]\w*)=([\s\S]*)$/.exec(given) ?? []
  if (name === undefined || value === undefined) {
    throw new UsageError(`Expected NAME=VALUE for --template-variable but received ${JSON.stringify(given)}`)
  }
  try {
    return [name, JSON.parse(value)]
  } catch {
    return [name, value]
  }
}
