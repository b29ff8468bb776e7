/**
 * The normal form of a schema: for each type of JSON the alternatives that it allows, each a plain conjunction. What
 * keywords combine (allOf, anyOf, not, if) is gone in it. A form that had to let more through than its schema says so in its
 * warnings.
 */

import { ANY_ARRAY, type ArraySet, complementArray, intersectArrays } from './arrays.js'
import { ANY_NUMBER, complementNumbers, intersectNumbers, type NumberSet } from './numbers.js'
import { ANY_OBJECT, complementObject, intersectObjects, type ObjectSet } from './objects.js'
import type { Solver } from './solver.js'
import { ANY_STRING, complementString, intersectStrings, type StringSet } from './strings.js'
import type { SchemaWarning } from './warnings.js'

export interface Form {
  null: boolean
  true: boolean
  false: boolean
  numbers: readonly NumberSet[]
  strings: readonly StringSet[]
  arrays: readonly ArraySet[]
  objects: readonly ObjectSet[]
  warnings: readonly SchemaWarning[]
}

export const ANY_FORM: Form = {
  null: true,
  true: true,
  false: true,
  numbers: [ANY_NUMBER],
  strings: [ANY_STRING],
  arrays: [ANY_ARRAY],
  objects: [ANY_OBJECT],
  warnings: [],
}

export const NO_FORM: Form = {
  null: false,
  true: false,
  false: false,
  numbers: [],
  strings: [],
  arrays: [],
  objects: [],
  warnings: [],
}

/** Alternatives of one type; more are too many to combine. */
const MAX_ALTERNATIVES = 160

/** Forms have too many alternatives together. */
export class TooMany extends Error {}

export function intersectForms(a: Form, b: Form, solver: Solver): Form {
  if (a === ANY_FORM) return b
  if (b === ANY_FORM) return a
  return {
    null: a.null && b.null,
    true: a.true && b.true,
    false: a.false && b.false,
    numbers: cross(a.numbers, b.numbers, intersectNumbers),
    strings: cross(a.strings, b.strings, intersectStrings),
    arrays: cross(a.arrays, b.arrays, (x, y) => intersectArrays(x, y, solver)),
    objects: cross(a.objects, b.objects, (x, y) => intersectObjects(x, y, solver)),
    warnings: [...new Set([...a.warnings, ...b.warnings])],
  }
}

function cross<T>(a: readonly T[], b: readonly T[], meet: (x: T, y: T) => T | null): T[] {
  const result: T[] = []
  for (const x of a) {
    for (const y of b) {
      const both = x === y ? x : meet(x, y)
      if (both && result.length >= MAX_ALTERNATIVES) throw new TooMany()
      if (both) result.push(both)
    }
  }
  return result
}

export function uniteForms(forms: readonly Form[]): Form {
  const joined = <T>(of: (form: Form) => readonly T[], any: T): T[] => {
    const all = [...new Set(forms.flatMap(of))]
    if (all.includes(any)) return [any]
    if (all.length > MAX_ALTERNATIVES) throw new TooMany()
    return all
  }
  return {
    null: forms.some((form) => form.null),
    true: forms.some((form) => form.true),
    false: forms.some((form) => form.false),
    numbers: joined((form) => form.numbers, ANY_NUMBER),
    strings: joined((form) => form.strings, ANY_STRING),
    arrays: joined((form) => form.arrays, ANY_ARRAY),
    objects: joined((form) => form.objects, ANY_OBJECT),
    warnings: [...new Set(forms.flatMap((form) => form.warnings))],
  }
}

/** All but what a form allows; null where that cannot be told. */
export function complementForm(form: Form, solver: Solver): Form | null {
  // What lets too much through would keep too much out.
  if (form.warnings.length > 0) return null
  const outside = <T>(
    sets: readonly T[],
    any: T,
    complement: (set: T) => readonly T[] | null,
    meet: (x: T, y: T) => T | null,
  ) => {
    let result: readonly T[] = [any]
    for (const set of sets) {
      if (set === any) return []
      const others = complement(set)
      if (!others) return null
      result = cross(result, others, meet)
    }
    return result
  }
  const numbers = outside(form.numbers, ANY_NUMBER, complementNumbers, intersectNumbers)
  const strings = outside(form.strings, ANY_STRING, complementString, intersectStrings)
  const arrays = outside(
    form.arrays,
    ANY_ARRAY,
    (set) => complementArray(set, solver),
    (x, y) => intersectArrays(x, y, solver),
  )
  const objects = outside(
    form.objects,
    ANY_OBJECT,
    (set) => complementObject(set, solver),
    (x, y) => intersectObjects(x, y, solver),
  )
  if (!numbers || !strings || !arrays || !objects) return null
  return { null: !form.null, true: !form.true, false: !form.false, numbers, strings, arrays, objects, warnings: [] }
}

export function isEmptyForm(form: Form): boolean {
  const { numbers, strings, arrays, objects } = form
  return (
    !form.null && !form.true && !form.false && [numbers, strings, arrays, objects].every((sets) => sets.length === 0)
  )
}
