/** Keywords of JSON Schema, draft 4 to 2020-12, as a form. */
import type { Documents } from './documents.js'
import type { Form } from './form.js'
import type { JsonValue } from './json.js'
import type { Place } from './nodes.js'
import { readArrays, readUnevaluatedItems } from './read-arrays.js'
import { readObjects, readUnevaluatedProperties } from './read-objects.js'
import { readNumbers, readStrings } from './read-scalars.js'
import { listOf, SchemaReader } from './schema-reader.js'
import type { FormSolver } from './solve.js'
import { valuesForm } from './values.js'

export function readSchema(place: Place, documents: Documents, solver: FormSolver): Form {
  const reader = new SchemaReader(place, documents, solver)
  if ('$ref' in place.schema) {
    reader.keyword('$ref', (value) => reader.reference(value))
    if (documents.refStandsAlone) return reader.result()
  }
  reader.keyword('type', (value) => reader.types(value))
  reader.keyword('enum', (value) => valuesForm(listOf(value) as JsonValue[], solver.nodes))
  reader.keyword('const', (value) => valuesForm([value as JsonValue], solver.nodes))
  readNumbers(reader)
  readStrings(reader)
  readArrays(reader)
  readObjects(reader)
  reader.keyword('$dynamicRef', (value) => reader.dynamicReference(value))
  reader.keyword('$recursiveRef', (value) => reader.reference(value))
  reader.keyword('allOf', (value) => reader.formOf(solver.nodes.all(...reader.nodesOf(value, 'allOf'))))
  reader.keyword('not', (value) => reader.formOf(solver.nodes.not(reader.node(value, 'not'))))
  reader.keyword('if', (value) => reader.condition(value))
  reader.keyword('anyOf', (value) => reader.anyOf(reader.nodesOf(value, 'anyOf')))
  reader.keyword('oneOf', (value) => reader.oneOf(reader.nodesOf(value, 'oneOf')))
  readUnevaluatedItems(reader)
  readUnevaluatedProperties(reader)
  return reader.result()
}
