/** Keywords of arrays. */
import { ANY_ARRAY, type ArraySet, itemOf } from './arrays.js'
import { ANY_FORM, type Form } from './form.js'
import { TRUE } from './nodes.js'
import { countOf, listOf, type SchemaReader } from './schema-reader.js'

const arrays = (set: Partial<ArraySet>): Form => ({ ...ANY_FORM, arrays: [{ ...ANY_ARRAY, ...set }] })

export function readArrays(reader: SchemaReader): void {
  const { schema } = reader
  // The tuples of 2020-12, and those of the drafts before it.
  const [tuple, others] = Array.isArray(schema.items)
    ? (['items', 'additionalItems'] as const)
    : (['prefixItems', 'items'] as const)
  reader.keyword(tuple, (value) => {
    const prefix = listOf(value).map((item, i) => reader.node(item, tuple, i))
    return arrays({ prefix, evaluated: prefix.length })
  })
  reader.keyword(others, (value) => {
    const list = schema[tuple]
    const before = Array.isArray(list) ? list.length : 0
    return arrays({
      prefix: Array.from({ length: before }, () => TRUE),
      rest: reader.node(value, others),
      evaluated: Infinity,
    })
  })
  reader.keyword('minItems', (value) => arrays({ least: countOf(value) }))
  reader.keyword('maxItems', (value) => arrays({ most: countOf(value) }))
  reader.keyword('contains', (value) => {
    const least = schema.minContains === undefined ? 1 : countOf(schema.minContains)
    const most = schema.maxContains === undefined ? Infinity : countOf(schema.maxContains)
    return arrays({ contains: [{ node: reader.node(value, 'contains'), least, most }] })
  })
  reader.keyword('uniqueItems', (value) =>
    value === true ? arrays({ unique: reader.warning('uniqueItems', 'items may be the same') }) : ANY_FORM,
  )
}

export function readUnevaluatedItems(reader: SchemaReader): void {
  reader.keyword('unevaluatedItems', (value) => {
    const { nodes } = reader.solver
    const node = reader.node(value, 'unevaluatedItems')
    const bound = (set: ArraySet): ArraySet => {
      // What `contains` looks for is evaluated where it is found.
      const others = nodes.any(node, ...set.contains.map((one) => one.node))
      const positions = Math.max(set.prefix.length, set.evaluated === Infinity ? 0 : set.evaluated)
      const prefix = Array.from({ length: positions }, (_, i) =>
        i < set.evaluated ? itemOf(set, i) : nodes.all(itemOf(set, i), others),
      )
      const rest = set.evaluated === Infinity ? set.rest : nodes.all(set.rest, others)
      return { ...set, prefix, rest, evaluated: Infinity }
    }
    reader.replace({ ...reader.form, arrays: reader.form.arrays.map(bound) })
    return ANY_FORM
  })
}
