/** The kinds of value that only options of loading have. */
import {
  fieldsOf,
  filePath,
  isPlainObject,
  isString,
  type Kind,
  kind,
  listOf,
  misuse,
  number,
  oneOf,
  text,
  unknownName,
} from '../base/checks.js'
import type { CacheType, LoraAdapter } from '../native/binding.js'
import { CACHE_TYPES, type CacheTypeName } from '../native/model-params.js'

export type { CacheTypeName } from '../native/model-params.js'

export function cacheType(): Kind<CacheType> {
  const each = oneOf(CACHE_TYPES)
  const expected = "'f16', 'q8_0', 'q4_0' or { k, v }"
  return kind(expected, (value): value is string | object => isString(value) || isPlainObject(value), {
    isValid: (value) => !isString(value) || CACHE_TYPES.includes(value as CacheTypeName),
    convert: (value, name) => {
      if (isString(value)) return { k: value as CacheTypeName, v: value as CacheTypeName }
      const fields = knownFields(value, name, ['k', 'v'])
      return {
        k: each.read(fields.get('k') ?? 'f16', `${name}.k`),
        v: each.read(fields.get('v') ?? 'f16', `${name}.v`),
      }
    },
  })
}

export function flashAttention(): Kind<'auto' | boolean> {
  return kind(
    "'auto' or boolean",
    (value): value is string | boolean => isString(value) || typeof value === 'boolean',
    {
      isValid: (value) => !isString(value) || value === 'auto',
      convert: (value) => value as 'auto' | boolean,
    },
  )
}

/** Whether there are such devices is known once the engine is open. */
export function deviceNames(): Kind<string[]> {
  const names = listOf(text, 'array of device names')
  return {
    expected: names.expected,
    read(value, name) {
      const read = names.read(value, name)
      if (read.length > 64) throw misuse(RangeError, 'at most 64 devices', name, read.length)
      const again = read.find((device, i) => read.indexOf(device) < i)
      if (again !== undefined) throw misuse(RangeError, 'no device twice', name, again)
      return read
    },
  }
}

export function loraAdapters(): Kind<LoraAdapter[]> {
  const path = filePath()
  const scale = number(-1000, 1000)
  const isFile = (value: unknown): value is string | URL => isString(value) || value instanceof URL
  const expected = 'file path, { path, scale } or array of these'
  const one = kind(expected, (value): value is string | object => isFile(value) || isPlainObject(value), {
    convert: (value, name): LoraAdapter => {
      if (isFile(value)) return { path: path.read(value, name), scale: 1 }
      const fields = knownFields(value, name, ['path', 'scale'])
      return {
        path: path.read(fields.get('path'), `${name}.path`),
        scale: Math.fround(scale.read(fields.get('scale') ?? 1, `${name}.scale`)),
      }
    },
  })
  const isOne = (value: unknown): value is string | object => isFile(value) || isPlainObject(value)
  return kind(expected, (value): value is string | object | unknown[] => isOne(value) || Array.isArray(value), {
    convert: (value, name) => {
      if (!Array.isArray(value)) return [one.read(value, name)]
      if (value.length > 16) throw misuse(RangeError, 'at most 16 adapters', name, value.length)
      return Array.from(value, (item, i) => one.read(item, `${name}[${i}]`))
    },
  })
}

function knownFields(value: object, name: string, known: string[]): Map<string, unknown> {
  const fields = fieldsOf(value, name)
  for (const key of fields.keys()) {
    if (!known.includes(key)) throw unknownName(`key ${key} of ${name}`, key, known)
  }
  return fields
}
