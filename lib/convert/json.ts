/** Reading JSON files whose authors are strangers: every value is checked, and a wrong one is named with its file. */
import { type Kind, kind } from '../base/checks.js'
import { readBytes } from '../base/files.js'
import { decodeText } from '../base/text.js'
import { invalid } from './failure.js'

/** An object in a JSON file. Null counts as absent, as in Python's `dict.get`. */
export class Section {
  constructor(
    /** Of the file, for messages. */
    readonly path: string,
    /** Where in it, e.g. `model.`; empty at the top. */
    readonly prefix: string,
    readonly fields: Readonly<Record<string, unknown>>,
  ) {}

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  get(key: string): unknown {
    return Object.hasOwn(this.fields, key) ? (this.fields[key] ?? undefined) : undefined
  }

  /** @throws {Z1Error} MODEL_INVALID when the value is absent or of another kind. */
  read<T>(key: string, kind: Kind<T>): T {
    const name = this.prefix + key
    if (!this.has(key)) throw invalid(this.path, `${name} is missing`)
    try {
      return kind.read(this.get(key), name)
    } catch (error) {
      throw invalid(this.path, (error as Error).message)
    }
  }

  /** As {@link read}, but an absent value is undefined. */
  find<T>(key: string, kind: Kind<T>): T | undefined {
    return this.has(key) ? this.read(key, kind) : undefined
  }

  section(key: string): Section {
    return new Section(this.path, `${this.prefix}${key}.`, this.read(key, object))
  }

  sections(key: string): Section[] {
    return this.read(key, list).map((item, i) => sectionOf(item, this.path, `${this.prefix}${key}[${i}]`))
  }
}

/** @param name Of the value, with what it is in. */
export function sectionOf(value: unknown, path: string, name: string): Section {
  if (!isObject(value)) throw invalid(path, `${name} is not an object`)
  return new Section(path, name === '' ? '' : `${name}.`, value)
}

export { text as string } from '../base/checks.js'

const object: Kind<Record<string, unknown>> = kind('object', isObject)
export const list: Kind<unknown[]> = kind('array', (value): value is unknown[] => Array.isArray(value))

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object that a file holds; undefined when there is no such file. @throws {Z1Error} MODEL_INVALID */
export async function readJson(path: string): Promise<Section | undefined> {
  const bytes = await bytesOf(path)
  return bytes && parseJson(bytes, path)
}

/** @throws {Z1Error} MODEL_INVALID */
export function parseJson(bytes: Uint8Array, path: string): Section {
  const content = decode(bytes, path)
  let value: unknown
  try {
    value = JSON.parse(content)
  } catch (cause) {
    throw invalid(path, `not valid JSON: ${(cause as Error).message}`, cause)
  }
  if (!isObject(value)) throw invalid(path, 'not a JSON object')
  return new Section(path, '', value)
}

/** The text of a file in UTF-8; undefined when there is no such file. @throws {Z1Error} MODEL_INVALID */
export async function readText(path: string): Promise<string | undefined> {
  const bytes = await bytesOf(path)
  return bytes && decode(bytes, path)
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readBytes(path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw invalid(path, `it cannot be read: ${(cause as Error).message}`, cause)
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return decodeText(bytes)
  } catch (cause) {
    throw invalid(path, (cause as Error).message, cause)
  }
}
