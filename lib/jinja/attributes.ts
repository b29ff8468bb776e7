/**
 * Attributes and items of values, as transformers' sandbox allows them: methods that change a list or a dict are
 * refused.
 */
import { bind } from './arguments.js'
import { TemplateError } from './budget.js'
import { strFormat } from './formatting.js'
import { sliceIndices } from './numbers.js'
import { part, STRING_METHODS } from './strings.js'
import { concat, offsets, Text } from './text.js'
import type { MethodTools } from './tools.js'
import {
  type Arguments,
  Callable,
  Dict,
  equal,
  Float,
  isText,
  List,
  Namespace,
  or,
  typeName,
  Undefined,
  type Value,
} from './values.js'

type Methods<T> = Readonly<Record<string, (self: T, args: Arguments, tools: MethodTools) => Value>>

const LIST_METHODS: Methods<List> = {
  count: ({ items }, args, { budget }) => {
    const [value] = bind(args, 'count', 'value')
    return items.filter((item) => equal(item, value ?? null, budget)).length
  },
  index: ({ items }, args, { budget }) => {
    const [value] = bind(args, 'index', 'value')
    const found = items.findIndex((item) => equal(item, value ?? null, budget))
    if (found < 0) throw new TemplateError('the value is not in the list')
    return found
  },
  copy: ({ items, tuple }, _, { budget }) => {
    budget.steps(items.length)
    return new List([...items], tuple)
  },
}

const DICT_METHODS: Methods<Dict> = {
  get: (self, args) => {
    const [key, otherwise] = bind(args, 'get', 'key', 'default')
    return or(self.get(or(key, () => null)), () => or(otherwise, () => null))
  },
  keys: (self, _, { budget }) => entries(self, budget, ([key]) => key),
  values: (self, _, { budget }) => entries(self, budget, ([, value]) => value),
  items: (self, _, { budget }) => entries(self, budget, (entry) => new List(entry, true)),
  copy: (self, _, { budget }) => {
    budget.steps(self.size)
    return new Dict(self.entries())
  },
}

function entries(self: Dict, budget: MethodTools['budget'], pick: (entry: [Value, Value]) => Value): List {
  budget.steps(self.size)
  return new List(self.entries().map(pick))
}

/** Methods that Python has and the sandbox refuses. */
const CHANGING: Readonly<Record<string, readonly string[]>> = {
  list: ['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort'],
  dict: ['clear', 'pop', 'popitem', 'setdefault', 'update'],
}

/** `object.name`: an attribute first, then an item. */
export function attribute(object: Value, name: string, tools: MethodTools): Value {
  const key = new Text(name)
  return or(ownAttribute(object, name, tools), () => or(itemOf(object, key), () => missing(object, key)))
}

/** `object[key]`: an item first, then an attribute. */
export function item(object: Value, key: Value, tools: MethodTools): Value {
  for (const text of [object, key]) if (isText(text)) tools.budget.scan(text.value.length)
  const own = () => (isText(key) ? ownAttribute(object, key.value, tools) : undefined)
  return or(itemOf(object, key), () => or(own(), () => missing(object, key)))
}

function ownAttribute(object: Value, name: string, tools: MethodTools): Value | undefined {
  if (object instanceof Undefined) object.fail()
  const method = <T extends Value>(methods: Methods<T>, self: T) =>
    Object.hasOwn(methods, name)
      ? new Callable(name, (args) => {
          if (isText(self)) tools.budget.scan(self.value.length)
          return (methods[name] as Methods<T>[string])(self, args, tools)
        })
      : undefined
  if (CHANGING[typeName(object)]?.includes(name)) {
    return new Undefined(`the method ${name} of a ${typeName(object)} would change it, which templates must not`)
  }
  if (isText(object)) {
    return name === 'format'
      ? new Callable(name, (args) => format(object, args, tools))
      : method(STRING_METHODS, object)
  }
  if (object instanceof List) return object.items[object.names.indexOf(name)] ?? method(LIST_METHODS, object)
  if (object instanceof Dict) return method(DICT_METHODS, object)
  if (object instanceof Namespace) return object.values.get(name)
  if (object instanceof Callable) return object.attributes.get(name)?.()
  if (object instanceof Float && name === 'is_integer') {
    return new Callable(name, () => Number.isInteger(object.value))
  }
  return undefined
}

/** `str.format`, whose fields look into values themselves. */
function format(self: Text, args: Arguments, tools: MethodTools): Text {
  const lookup = (value: Value, name: string, kind: 'attribute' | 'item') => {
    if (kind === 'attribute') return attribute(value, name, tools)
    return item(value, /^\d+$/.test(name) ? Number(name) : new Text(name), tools)
  }
  return strFormat(self, args, lookup, tools.budget)
}

function itemOf(object: Value, key: Value): Value | undefined {
  if (object instanceof Undefined) object.fail()
  if (object instanceof Dict) {
    // A key that cannot be hashed is in no dict: jinja2 gives undefined.
    const hashable = !(key instanceof Dict) && !(key instanceof List && !key.tuple)
    return hashable ? object.get(key) : undefined
  }
  if (typeof key !== 'number' && typeof key !== 'boolean') return undefined
  const index = Number(key)
  if (object instanceof List) return object.items.at(index)
  if (isText(object)) {
    const starts = offsets(object)
    const length = starts ? starts.length - 1 : object.value.length
    const at = index < 0 ? index + length : index
    if (at < 0 || at >= length) return undefined
    return starts ? object.slice(starts[at] as number, starts[at + 1]) : object.slice(at, at + 1)
  }
  return undefined
}

function missing(object: Value, key: Value): Undefined {
  const kind = object instanceof Callable ? object.name : `${typeName(object)} object`
  const shown = isText(key) ? `'${key.value.slice(0, 60)}'` : `element ${typeof key === 'number' ? key : typeName(key)}`
  return new Undefined(`'${kind}' has no ${isText(key) ? 'attribute ' : ''}${shown}`)
}

/** `object[first:second:third]`. */
export function slice(object: Value, bounds: readonly Value[], { budget }: MethodTools): Value {
  if (isText(object)) {
    budget.scan(object.value.length)
    const [first, second, step] = bounds
    if (step === null || step === 1) return part(object, first, second)[0]
    const starts = offsets(object)
    budget.steps(object.value.length)
    const indices = sliceIndices(bounds, starts ? starts.length - 1 : object.value.length)
    return concat(
      indices.map((i) => (starts ? object.slice(starts[i] as number, starts[i + 1]) : object.slice(i, i + 1))),
    )
  }
  if (object instanceof List) {
    budget.steps(object.items.length)
    const indices = sliceIndices(bounds, object.items.length)
    return new List(
      indices.map((i) => object.items[i] as Value),
      object.tuple,
    )
  }
  if (object instanceof Undefined) object.fail()
  throw new TemplateError(`'${typeName(object)}' object cannot be sliced`)
}
