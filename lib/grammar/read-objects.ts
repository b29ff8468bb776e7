/** Keywords of objects. */
import {
  ANY_TEXT,
  type Automaton,
  intersect,
  isEmpty,
  matches,
  negate,
  ofTexts,
  subtract,
  TooLarge,
  unite,
} from './automaton.js'
import { ANY_FORM, type Form, intersectForms, uniteForms } from './form.js'
import { isRecord } from './json.js'
import { FALSE, type Node, TRUE } from './nodes.js'
import { ANY_OBJECT, type KeyKind, meetKinds, type ObjectSet } from './objects.js'
import { NotRegular } from './regex.js'
import { countOf, listOf, Malformed, type SchemaReader } from './schema-reader.js'
import { textsOf } from './strings.js'

const objects = (set: Partial<ObjectSet>): Form => ({ ...ANY_FORM, objects: [{ ...ANY_OBJECT, ...set }] })

export function readObjects(reader: SchemaReader): void {
  const { schema } = reader
  const hasProperties = ['properties', 'patternProperties', 'additionalProperties'].find(
    (key) => schema[key] !== undefined,
  )
  if (hasProperties) reader.keyword(hasProperties, () => properties(reader))
  reader.keyword('required', (value) => objects({ required: new Set(textsIn(value)), ...namedBy(textsIn(value)) }))
  reader.keyword('minProperties', (value) => objects({ least: countOf(value) }))
  reader.keyword('maxProperties', (value) => objects({ most: countOf(value) }))
  reader.keyword('propertyNames', (value) => {
    const keys = keysOf(reader, reader.node(value, 'propertyNames'))
    return objects({ others: isEmpty(keys) ? [] : [{ keys, node: TRUE }] })
  })
  for (const keyword of ['dependentRequired', 'dependentSchemas', 'dependencies']) {
    const map = schema[keyword]
    if (!isRecord(map)) continue
    for (const [key, value] of Object.entries(map))
      reader.keyword(keyword, () => dependency(reader, keyword, key, value))
  }
}

const namedBy = (keys: readonly string[]) => ({ named: new Map<string, Node>(keys.map((key) => [key, TRUE])) })

/** A key forbids itself, or brings what depends on it. */
function dependency(reader: SchemaReader, keyword: string, key: string, value: unknown): Form {
  const absent = objects({ named: new Map([[key, FALSE]]) })
  if (Array.isArray(value)) {
    const keys = [key, ...textsIn(value)]
    return uniteForms([absent, objects({ required: new Set(keys), ...namedBy(keys) })])
  }
  const present = reader.solver.formOf(reader.node(value, keyword, key))
  const { objects: sets, warnings } = intersectForms(
    present,
    objects({ required: new Set([key]), ...namedBy([key]) }),
    reader.solver,
  )
  return uniteForms([absent, { ...ANY_FORM, objects: sets, warnings }])
}

function properties(reader: SchemaReader): Form {
  const { schema, solver } = reader
  const { properties: given = {}, patternProperties = {} } = schema
  if (!isRecord(given) || !isRecord(patternProperties)) throw new Malformed('expected an object of schemas')
  const patterns = Object.entries(patternProperties).flatMap(([pattern, value]): KeyKind[] => {
    try {
      return [{ keys: reader.pattern(pattern), node: reader.node(value, 'patternProperties', pattern) }]
    } catch (error) {
      if (!(error instanceof NotRegular || error instanceof TooLarge)) throw error
      reader.warn(
        'patternProperties',
        `${JSON.stringify(pattern)}: ${(error as Error).message || 'too large for a grammar'}`,
      )
      return []
    }
  })
  // One that is said to be true is not the same as none: a canonical grammar has properties without a name for it.
  const { additionalProperties: said } = schema
  const additional = said === undefined ? TRUE : reader.node(said === true ? {} : said, 'additionalProperties')
  const named = new Map<string, Node>()
  for (const [key, value] of Object.entries(given)) {
    const own = reader.node(value, 'properties', key)
    named.set(key, solver.nodes.all(own, ...patterns.filter(({ keys }) => matches(keys, key)).map(({ node }) => node)))
  }
  let others: (KeyKind & { isMatched: boolean })[] = [{ keys: ANY_TEXT, node: TRUE, isMatched: false }]
  for (const { keys, node } of patterns) {
    others = others.flatMap((kind) => [
      { keys: intersect(kind.keys, keys), node: solver.nodes.all(kind.node, node), isMatched: true },
      { ...kind, keys: subtract(kind.keys, keys) },
    ])
  }
  const kinds = others
    .map(({ keys, node, isMatched }) => ({ keys, node: isMatched ? node : additional }))
    .filter(({ keys, node }) => node !== FALSE && !isEmpty(keys))
  return objects({ named, others: kinds, evaluated: evaluated(reader, named, patterns) })
}

function evaluated(
  reader: SchemaReader,
  named: ReadonlyMap<string, Node>,
  patterns: readonly KeyKind[],
): Automaton | null {
  if (!reader.documents.keywords.has('unevaluatedProperties')) return null
  if (reader.schema.additionalProperties !== undefined) return ANY_TEXT
  return patterns.reduce((all, { keys }) => unite(all, keys), ofTexts(named.keys()))
}

export function readUnevaluatedProperties(reader: SchemaReader): void {
  reader.keyword('unevaluatedProperties', (value) => {
    const node = reader.node(value, 'unevaluatedProperties')
    const { nodes } = reader.solver
    const bound = (set: ObjectSet): ObjectSet => {
      const seen = set.evaluated ?? negate(ANY_TEXT)
      const unseen: KeyKind[] = node === FALSE ? [] : [{ keys: negate(seen), node }]
      const named = new Map([...set.named].map(([key, own]) => [key, matches(seen, key) ? own : nodes.all(own, node)]))
      const kinds = [{ keys: seen, node: TRUE }, ...unseen].filter(({ keys }) => !isEmpty(keys))
      return { ...set, named, others: meetKinds(set.others, kinds, reader.solver), evaluated: ANY_TEXT }
    }
    const bounded = reader.form.objects
      .map(bound)
      .filter(({ named, required }) => [...required].every((key) => named.get(key) !== FALSE))
    reader.replace({ ...reader.form, objects: bounded })
    return ANY_FORM
  })
}

function keysOf(reader: SchemaReader, node: Node): Automaton {
  const { strings, warnings } = reader.solver.formOf(node)
  for (const { keyword, message } of warnings) reader.warn('propertyNames', `${keyword}: ${message}`)
  return strings.map((set) => textsOf(set) ?? ANY_TEXT).reduce((a, b) => unite(a, b), negate(ANY_TEXT))
}

function textsIn(value: unknown): string[] {
  const list = listOf(value)
  if (list.every((item): item is string => typeof item === 'string')) return list
  throw new Malformed('expected an array of strings')
}
