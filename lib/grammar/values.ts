/** Values that a schema lists, as forms. */
import { ANY_ARRAY, type ArraySet } from './arrays.js'
import { ofTexts } from './automaton.js'
import { type Form, NO_FORM } from './form.js'
import { isRecord, type JsonValue } from './json.js'
import { FALSE, type Nodes } from './nodes.js'
import { ANY_OBJECT, type ObjectSet } from './objects.js'
import { ANY_STRING } from './strings.js'

export function valueForm(value: JsonValue, nodes: Nodes): Form {
  return valuesForm([value], nodes)
}

export function valuesForm(values: readonly JsonValue[], nodes: Nodes): Form {
  const texts = values.filter((value): value is string => typeof value === 'string')
  const numbers = values.filter((value): value is number => typeof value === 'number')
  return {
    ...NO_FORM,
    null: values.includes(null),
    true: values.includes(true),
    false: values.includes(false),
    numbers: numbers.length > 0 ? [{ values: numbers, multiples: [] }] : [],
    // Half a surrogate pair is in no text.
    strings:
      texts.length > 0 ? [{ ...ANY_STRING, texts: ofTexts(texts.filter((text) => !/\p{Surrogate}/u.test(text))) }] : [],
    arrays: values.filter(Array.isArray).map((value) => arrayOf(value, nodes)),
    objects: values.filter(isRecord).map((value) => objectOf(value as Record<string, JsonValue>, nodes)),
  }
}

function arrayOf(value: readonly JsonValue[], nodes: Nodes): ArraySet {
  const prefix = value.map((item) => nodes.value(item))
  return { ...ANY_ARRAY, prefix, rest: FALSE, least: value.length, most: value.length }
}

function objectOf(value: Readonly<Record<string, JsonValue>>, nodes: Nodes): ObjectSet {
  const named = new Map(Object.entries(value).map(([key, item]) => [key, nodes.value(item)]))
  return { ...ANY_OBJECT, named, others: [], required: new Set(named.keys()) }
}
