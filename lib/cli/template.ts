/** Chat templates and their variables, as commands are given them. */
import { readFile } from 'node:fs/promises'
import { decodeText } from '../base/text.js'
import type { JsonValue } from '../jinja/convert.js'
import { UsageError } from './args.js'

/** @throws {UsageError} for a file that cannot be read. */
export async function readTemplate(path: string): Promise<string> {
  try {
    return decodeText(await readFile(path))
  } catch (error) {
    throw new UsageError(`Cannot read ${path} as a chat template: ${(error as Error).message}`)
  }
}

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
