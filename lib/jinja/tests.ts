/** The tests of jinja2: what may follow `is`. */
import { bind } from './arguments.js'
import { type Budget, TemplateError } from './budget.js'
import { arithmetic } from './numbers.js'
import { str } from './printing.js'
import {
  type Arguments,
  Callable,
  compare,
  Dict,
  equal,
  Float,
  Iterator,
  isIterable,
  isText,
  iterate,
  List,
  numeric,
  typeName,
  Undefined,
  type Value,
} from './values.js'

export type Test = (value: Value, args: Arguments, budget: Budget) => boolean

/** `element in container`. */
export function contains(container: Value, element: Value, budget: Budget): boolean {
  if (isText(element)) budget.scan(element.value.length)
  if (isText(container)) {
    budget.scan(container.value.length)
    if (element instanceof Undefined) element.fail()
    if (!isText(element)) {
      throw new TemplateError(`'in <string>' requires string as left operand, not ${typeName(element)}`)
    }
    return container.value.includes(element.value)
  }
  if (container instanceof Dict) return container.get(element) !== undefined
  if (container instanceof List || container instanceof Iterator || container instanceof Undefined) {
    for (const candidate of iterate(container, budget)) if (equal(candidate, element, budget)) return true
    return false
  }
  throw new TemplateError(`argument of type '${typeName(container)}' is not iterable`)
}

function other(args: Arguments): Value {
  const [value] = bind(args, 'the test', 'other')
  if (value === undefined) throw new TemplateError('the test misses an argument')
  return value
}

const equals: Test = (value, args, budget) => equal(value, other(args), budget)
const differs: Test = (value, args, budget) => !equal(value, other(args), budget)
const less: Test = (value, args, budget) => compare(value, other(args), '<', budget) < 0
const atMost: Test = (value, args, budget) => compare(value, other(args), '<=', budget) <= 0
const greater: Test = (value, args, budget) => compare(value, other(args), '>', budget) > 0
const atLeast: Test = (value, args, budget) => compare(value, other(args), '>=', budget) >= 0

function remainder(value: Value, by: Value): number {
  const result = arithmetic('%', value, by)
  if (result === undefined) throw new TemplateError(`expected numbers, not ${typeName(value)}`)
  return numeric(result) as number
}

const TESTS: Readonly<Record<string, Test>> = {
  boolean: (value) => typeof value === 'boolean',
  callable: (value) => value instanceof Callable || value instanceof Undefined,
  defined: (value) => !(value instanceof Undefined),
  divisibleby: (value, args) => remainder(value, other(args)) === 0,
  eq: equals,
  equalto: equals,
  '==': equals,
  escaped: () => false,
  even: (value) => remainder(value, 2) === 0,
  false: (value) => value === false,
  float: (value) => value instanceof Float,
  ge: atLeast,
  '>=': atLeast,
  gt: greater,
  greaterthan: greater,
  '>': greater,
  in: (value, args, budget) => contains(other(args), value, budget),
  integer: (value) => typeof value === 'number',
  iterable: (value) => isIterable(value),
  le: atMost,
  '<=': atMost,
  lower: (value, _, budget) => {
    const text = str(value, budget).value
    return /\p{Ll}/u.test(text) && !/[\p{Lu}\p{Lt}]/u.test(text)
  },
  lt: less,
  lessthan: less,
  '<': less,
  mapping: (value) => value instanceof Dict,
  ne: differs,
  '!=': differs,
  none: (value) => value === null,
  number: (value) => numeric(value) !== undefined,
  odd: (value) => remainder(value, 2) === 1,
  sameas: (value, args) => {
    const wanted = other(args)
    if (isText(value) && isText(wanted)) return value.value === wanted.value
    return value instanceof Float && wanted instanceof Float ? value.value === wanted.value : value === wanted
  },
  sequence: (value) => isText(value) || value instanceof List || value instanceof Dict || value instanceof Undefined,
  string: isText,
  true: (value) => value === true,
  undefined: (value) => value instanceof Undefined,
  upper: (value, _, budget) => {
    const text = str(value, budget).value
    return /\p{Lu}/u.test(text) && !/[\p{Ll}\p{Lt}]/u.test(text)
  },
}

export function testNamed(name: string): Test {
  if (!Object.hasOwn(TESTS, name)) throw new TemplateError(`No test named '${name.slice(0, 40)}'.`)
  return TESTS[name] as Test
}
