/** Files whose text is an option of a request. */
import { readFile } from 'node:fs/promises'
import { decodeText } from '../base/text.js'
import type { JsonSchema } from '../reason/structured.js'
import { UsageError } from './args.js'

/** @param what It is: `a chat template`. @throws {UsageError} for a file that cannot be read. */
export async function readFileAs(what: string, path: string): Promise<string> {
  try {
    return decodeText(await readFile(path))
  } catch (error) {
    throw new UsageError(`Cannot read ${path} as ${what}: ${(error as Error).message}`)
  }
}

/** @throws {UsageError} for a file that is no JSON. */
export async function readSchema(path: string): Promise<JsonSchema> {
  const text = await readFileAs('a JSON Schema', path)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`Cannot read ${path} as a JSON Schema: ${(error as Error).message}`)
  }
}
