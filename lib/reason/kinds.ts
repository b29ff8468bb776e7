/** The kinds of value that options of loading and reasoning have, beyond those of lib/base/checks.ts. */
import { resolve } from 'node:path'
import {
  clamp,
  integer,
  isCount,
  isNumber,
  isPlainObject,
  isString,
  type Kind,
  kind,
  misuse,
  numeric,
  wellFormed,
} from '../base/checks.js'
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

export function tagsMode(): Kind<'ban' | 'keep'> {
  return kind("'ban' or 'keep'", (value): value is 'ban' | 'keep' => value === 'ban' || value === 'keep')
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

/** More than the largest context has. They are read while JavaScript waits. */
const MOST_TOKENS = 2 ** 24

/**
 * A copy of token ids of a vocabulary. What can be read only once, as a generator, is refused.
 * @throws {RangeError} for more than 16777216, and for an id that the vocabulary has not.
 */
export function checkTokens(input: unknown, vocabularySize: number): Int32Array {
  const given = tokenList.read(input, 'tokens')
  const { length } = given
  if (length > MOST_TOKENS) throw misuse(RangeError, `at most ${MOST_TOKENS} ids`, 'tokens', length)
  const ids = new Int32Array(length)
  for (let i = 0; i < length; i++) {
    const id = given[i] as number
    if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
      throw misuse(RangeError, `ids from 0 to ${vocabularySize - 1}`, 'tokens', id)
    }
    ids[i] = id
  }
  return ids
}

const tokenList = kind('array of token ids', isTokenList)

function isTokenList(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}
