/** The schemas of one document by their URI, anchor and place, as `$ref` names them. */
import { isRecord, pointerStep } from './json.js'
import type { Place } from './nodes.js'

/** A base for documents without a URI of their own. */
const ROOT = 'schema://root/'

const ONE = [
  'not',
  'if',
  'then',
  'else',
  'additionalProperties',
  'additionalItems',
  'items',
  'contains',
  'propertyNames',
  'unevaluatedItems',
  'unevaluatedProperties',
  'contentSchema',
]
const LIST = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items']
const MAP = ['properties', 'patternProperties', 'definitions', '$defs', 'dependentSchemas', 'dependencies']

export class Documents {
  /** Up to draft 7 nothing beside a `$ref` counts. */
  readonly refStandsAlone: boolean
  readonly root: Place
  /** Whether a keyword stands anywhere in a schema. */
  readonly keywords = new Set<string>()
  readonly #idKey: string
  readonly #places = new Map<string, Place>()
  readonly #dynamic = new Map<string, number>()

  constructor(schema: Readonly<Record<string, unknown>>) {
    const dialect = typeof schema.$schema === 'string' ? schema.$schema : ''
    this.refStandsAlone = /draft-0[3-7]/.test(dialect)
    this.#idKey = /draft-0[34]/.test(dialect) ? 'id' : '$id'
    this.root = { schema, base: this.#baseOf(schema, ROOT), path: '' }
    this.#places.set(ROOT, this.root)
    this.#places.set(this.root.base, this.root)
    this.#register(this.root)
  }

  /** A part of a place: `keys` lead to a schema in it. */
  within(place: Place, schema: Readonly<Record<string, unknown>>, ...keys: (string | number)[]): Place {
    return { schema, base: this.#baseOf(schema, place.base), path: place.path + keys.map(pointerStep).join('') }
  }

  /** What a reference leads to; null when it is not in this document. */
  resolve(reference: string, base: string): Place | boolean | null {
    if (!URL.canParse(reference, base)) return null
    const url = new URL(reference, base)
    const fragment = decode(url.hash.slice(1))
    url.hash = ''
    const resource = this.#places.get(url.href)
    if (!resource || fragment === '') return resource ?? null
    if (!fragment.startsWith('/')) return this.#places.get(`${url.href}#${fragment}`) ?? null
    return this.#follow(resource, fragment)
  }

  /** Schemas with a `$dynamicAnchor` of this name. */
  countDynamic(name: string): number {
    return this.#dynamic.get(name) ?? 0
  }

  #baseOf(schema: Readonly<Record<string, unknown>>, base: string): string {
    const id = schema[this.#idKey]
    if (typeof id !== 'string' || (this.refStandsAlone && '$ref' in schema) || !URL.canParse(id, base)) return base
    const url = new URL(id, base)
    url.hash = ''
    return url.href
  }

  #register(place: Place): void {
    const { schema, base } = place
    for (const keyword of Object.keys(schema)) this.keywords.add(keyword)
    const id = schema[this.#idKey]
    if (typeof id === 'string' && !(this.refStandsAlone && '$ref' in schema)) {
      if (id.startsWith('#')) this.#places.set(`${base}${id}`, place)
      else if (!this.#places.has(base)) this.#places.set(base, place)
    }
    for (const key of ['$anchor', '$dynamicAnchor']) {
      if (typeof schema[key] === 'string') this.#places.set(`${base}#${schema[key]}`, place)
    }
    const dynamic = schema.$dynamicAnchor
    if (typeof dynamic === 'string') this.#dynamic.set(dynamic, this.countDynamic(dynamic) + 1)
    for (const child of this.#children(place)) this.#register(child)
  }

  #children(place: Place): Place[] {
    const { schema } = place
    const found: Place[] = []
    for (const key of ONE) if (isRecord(schema[key])) found.push(this.within(place, schema[key], key))
    for (const key of LIST) {
      const list = schema[key]
      if (!Array.isArray(list)) continue
      list.forEach((item, i) => {
        if (isRecord(item)) found.push(this.within(place, item, key, i))
      })
    }
    for (const key of MAP) {
      const map = schema[key]
      if (!isRecord(map)) continue
      for (const [name, item] of Object.entries(map)) {
        if (isRecord(item)) found.push(this.within(place, item, key, name))
      }
    }
    return found
  }

  #follow(from: Place, pointer: string): Place | boolean | null {
    let at: unknown = from.schema
    let base = from.base
    for (const step of pointer.slice(1).split('/')) {
      const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return null
      at = (at as Record<string, unknown>)[key]
      if (isRecord(at)) base = this.#baseOf(at, base)
    }
    if (typeof at === 'boolean') return at
    return isRecord(at) ? { schema: at, base, path: from.path + pointer } : null
  }
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}
