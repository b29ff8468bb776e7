/** The kinds of value that options of loading and reasoning have, beyond those of lib/base/checks.ts. */
import { resolve } from 'node:path'
import {
  clamp,
  fieldsOf,
  integer,
  isCount,
  isNumber,
  isPlainObject,
  isString,
  type Kind,
  kind,
  misuse,
  numeric,
  oneOf,
  unknownName,
  wellFormed,
} from '../base/checks.js'
import type { JsonValue } from '../jinja/convert.js'
import type { SamplingParams } from '../native/binding.js'

export function engineName(): Kind<string> {
  const names = ['auto', 'cpu', 'cuda', 'vulkan', 'metal']
  const isDirectory = (value: string) => /^\.|[/\\]/.test(value)
  return kind(
    `${names.map((name) => `'${name}'`).join(', ')} or path of a directory`,
    (value): value is string => isString(value) && (names.includes(value) || isDirectory(value)),
    { convert: (value) => (names.includes(value) ? value : resolve(value)) },
  )
}

export function layerCount(): Kind<'auto' | number> {
  return kind("'auto' or integer ≥ 0", (value): value is 'auto' | number => value === 'auto' || isNumber(value), {
    isValid: (value) => value === 'auto' || isCount(value),
    convert: (value) => (value === 'auto' ? value : clamp(value)),
  })
}

export function windowTokens(): Kind<number> {
  return numeric(
    'integer ≥ 0',
    (value) => value === Infinity || isCount(value),
    (value) => (value === Infinity ? value : clamp(value)),
  )
}

/** Windows that are smaller than a request's, in any order. */
export function cutWindows(): Kind<number[]> {
  const each = numeric('integer ≥ 0', isCount, clamp)
  return kind('array of integers', Array.isArray, {
    convert: (values, name) => {
      if (values.length > 64) throw misuse(RangeError, 'at most 64 windows', name, values.length)
      const windows = Array.from(values, (value, i) => each.read(value, `${name}[${i}]`))
      const again = windows.find((window, i) => windows.indexOf(window) < i)
      if (again !== undefined) throw misuse(RangeError, 'no window twice', name, again)
      return windows
    },
  })
}

/** @param named Texts that a word stands for. */
export function hintText(named: { plain: string; boxed: string }): Kind<string | null> {
  const isHint = (value: unknown): value is string | null => value === null || isString(value)
  return kind("'plain', 'boxed', non-empty string or null", isHint, {
    isValid: (value) => value !== '',
    convert: (value, name) => {
      if (value === 'plain' || value === 'boxed') return named[value]
      return value === null ? null : wellFormed(value, name)
    },
  })
}

/** Think tags by their texts, and what becomes of them. */
export interface NamedTags {
  open: string
  close: string
  mode: 'ban' | 'keep'
}

export function tagsMode(): Kind<'ban' | 'keep' | NamedTags> {
  const isWord = (value: unknown): value is 'ban' | 'keep' => value === 'ban' || value === 'keep'
  const expected = "'ban', 'keep' or { open, close }"
  return kind(expected, (value): value is 'ban' | 'keep' | object => isWord(value) || isPlainObject(value), {
    convert: (value, name) => {
      if (isWord(value)) return value
      const fields = fieldsOf(value, name)
      for (const key of fields.keys()) {
        if (!['open', 'close', 'mode'].includes(key))
          throw unknownName(`key ${key} of ${name}`, key, ['open', 'close', 'mode'])
      }
      const each = kind('non-empty string', isString, { isValid: (text) => text !== '', convert: wellFormed })
      return {
        open: each.read(fields.get('open'), `${name}.open`),
        close: each.read(fields.get('close'), `${name}.close`),
        mode: oneOf(['ban', 'keep']).read(fields.get('mode') ?? 'ban', `${name}.mode`),
      }
    },
  })
}

/** Deeper than any template looks. */
const MAX_JSON_DEPTH = 100

/** Variables of a template: a copy, in which all is JSON. */
export function templateVariables(): Kind<Record<string, JsonValue>> {
  return kind('plain object of JSON values', isPlainObject, {
    convert: (value, name) => {
      const copy = copyJson(value, name, 0) as Record<string, JsonValue>
      for (const key of ['messages', 'add_generation_prompt']) {
        if (key in copy)
          throw new TypeError(`Expected no ${key} in ${name}: it is what the template is given for the input`)
      }
      return copy
    },
  })
}

/** @throws {TypeError|RangeError} for what is no JSON, or too deep. */
export function copyJson(value: unknown, name: string, depth: number): JsonValue {
  if (depth > MAX_JSON_DEPTH) throw new RangeError(`Expected at most ${MAX_JSON_DEPTH} levels in ${name}`)
  if (isString(value)) return wellFormed(value, name)
  if (value === null || typeof value === 'boolean' || (isNumber(value) && Number.isFinite(value))) return value
  if (Array.isArray(value)) return Array.from(value, (item, i) => copyJson(item, `${name}[${i}]`, depth + 1))
  if (!isPlainObject(value)) throw misuse(TypeError, 'JSON value', name, value)
  const entries = [...fieldsOf(value, name)].map(([key, item]) => [key, copyJson(item, `${name}.${key}`, depth + 1)])
  return Object.fromEntries(entries)
}

/** Divided by less, logits overflow their 32 bits; long before that the distribution is greedy. */
export function greedyWhenTiny(temperature: number): number {
  return temperature < 1e-6 ? 0 : temperature
}

export function sequenceBreakers(): Kind<string[]> {
  const each = kind('string of 1 to 40 bytes', isString, {
    // llama-sampler.cpp cuts a breaker after MAX_CHAR_LEN bytes, be it within a character.
    isValid: (value) => value !== '' && Buffer.byteLength(value) <= 40,
    convert: wellFormed,
  })
  return kind('array of strings', Array.isArray, { convert: (values, name) => readList(each, values, name) })
}

export function stopTexts(): Kind<string[]> {
  const each = kind('non-empty string', isString, { isValid: (value) => value !== '', convert: wellFormed })
  return kind(
    'string or array of strings',
    (value): value is string | unknown[] => isString(value) || Array.isArray(value),
    { convert: (value, name) => (isString(value) ? [each.read(value, name)] : readList(each, value, name)) },
  )
}

function readList<T>(each: Kind<T>, values: unknown[], name: string): T[] {
  if (values.length > 64) throw misuse(RangeError, 'at most 64 strings', name, values.length)
  return Array.from(values, (value, i) => each.read(value, `${name}[${i}]`))
}

/** @param most Entries, at most: each is read and checked while JavaScript waits. */
export function tokenBiases(most = Infinity): Kind<SamplingParams['logitBias']> {
  const token = integer(0, 2 ** 31 - 1)
  // Logits are 32-bit floats, in which a larger number would be infinite.
  const bias = numeric('finite number or -Infinity', (value) => Math.fround(value) < Infinity)
  const entry = kind('[token, bias]', (value): value is unknown[] => Array.isArray(value) && value.length === 2)
  return kind(
    'object, Map or array of [token, bias]',
    (value): value is object => Array.isArray(value) || value instanceof Map || isPlainObject(value),
    {
      convert: (value, name) => {
        const count = biasCount(value)
        if (count > most) throw misuse(RangeError, `at most ${most} entries`, name, count)
        return biasEntries(value).map((pair, i) => {
          const [id, amount] = entry.read(pair, `${name}[${i}]`)
          return { token: token.read(id, `token of ${name}`), bias: bias.read(amount, `${name} of token ${id}`) }
        })
      },
    },
  )
}

function biasCount(value: object): number {
  if (Array.isArray(value)) return value.length
  return value instanceof Map ? value.size : Object.keys(value).length
}

function biasEntries(value: object): unknown[] {
  if (Array.isArray(value)) return Array.from(value)
  if (value instanceof Map) return [...value]
  // The keys of an object are text.
  return Object.entries(value).map(([id, bias]) => [/^\d+$/.test(id) ? Number(id) : id, bias])
}
