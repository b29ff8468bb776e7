/** Filters of sequences. What Python makes a generator is one here too: it goes by once. */
import { bind, textArgument } from './arguments.js'
import { item } from './attributes.js'
import { TemplateError } from './budget.js'
import { arithmetic, toIndex } from './numbers.js'
import { joined, str } from './printing.js'
import { Text } from './text.js'
import type { Filter, FilterTools } from './tools.js'
import { compare, Dict, Iterator, isText, iterate, List, or, truth, typeName, Undefined, type Value } from './values.js'

function toList(value: Value, { budget }: FilterTools): Value[] {
  return [...iterate(value, budget)]
}

/** What `attribute='a.b.0'` takes of an element; texts are compared without case unless asked for. */
function getter(name: Value | undefined, tools: FilterTools, otherwise?: Value): (value: Value) => Value {
  if (name === undefined || name === null) return (value) => value
  const path = typeof name === 'number' ? [String(name)] : textArgument(name, 'attribute').value.split('.')
  return (start) => {
    let value = start
    for (const step of path) {
      value = /^\d+$/.test(step) ? item(value, Number(step), tools) : item(value, new Text(step), tools)
      if (value instanceof Undefined && otherwise !== undefined) return otherwise
    }
    return value
  }
}

function withoutCase(value: Value, tools: FilterTools): Value {
  if (!isText(value)) return value
  tools.budget.characters(value.value.length)
  return new Text(value.value.toLowerCase())
}

function sorted(values: Value[], key: (value: Value) => Value, reverse: boolean, { budget }: FilterTools): Value[] {
  const keyed = values.map((value) => ({ value, key: key(value) }))
  keyed.sort((a, b) => (reverse ? compare(b.key, a.key, '<', budget) : compare(a.key, b.key, '<', budget)))
  return keyed.map(({ value }) => value)
}

function flag(value: Value | undefined): boolean {
  return value !== undefined && truth(value)
}

const sort: Filter = (value, args, tools) => {
  const [reverse, caseSensitive, by] = bind(args, 'sort', 'reverse', 'case_sensitive', 'attribute')
  const paths =
    by !== undefined && isText(by)
      ? by.value.split(',').map((path) => getter(new Text(path), tools))
      : [getter(by, tools)]
  const key = (element: Value) => {
    const keys = paths.map((path) => (flag(caseSensitive) ? path(element) : withoutCase(path(element), tools)))
    return new List(keys) // also a single one: equal elements of a list need no order
  }
  return new List(sorted(toList(value, tools), key, flag(reverse), tools))
}

const dictSort: Filter = (value, args, tools) => {
  const [caseSensitive, by, reverse] = bind(args, 'dictsort', 'case_sensitive', 'by', 'reverse')
  if (!(value instanceof Dict)) throw new TemplateError(`dictsort expects a dict, not ${typeName(value)}`)
  const position = by === undefined || textArgument(by, 'dictsort').value === 'key' ? 0 : 1
  const entries = value.entries().map((entry) => new List(entry, true))
  const key = (entry: Value) => {
    const part = (entry as List).items[position] as Value
    return flag(caseSensitive) ? part : withoutCase(part, tools)
  }
  return new List(sorted(entries, key, flag(reverse), tools))
}

/** `map('upper')`, `map(attribute='x', default='y')`. */
const map: Filter = (value, args, tools) => {
  let change: (element: Value) => Value
  if (args.positional.length === 0 && args.named.has('attribute')) {
    const { attribute: by, default: otherwise, ...rest } = Object.fromEntries(args.named)
    const [unknown] = Object.keys(rest)
    if (unknown !== undefined) throw new TemplateError(`Unexpected keyword argument '${unknown}'`)
    change = getter(by as Value, tools, otherwise as Value | undefined)
  } else {
    const [name, ...positional] = args.positional
    const filter = textArgument(name, 'map').value
    change = (element) => tools.filter(filter, element, { positional, named: args.named })
  }
  return generator(value, tools, function* (elements) {
    for (const element of elements) yield change(element)
  })
}

/** select, reject, selectattr and rejectattr. */
function chosen(wanted: boolean, byAttribute: boolean): Filter {
  return (value, args, tools) => {
    const by = byAttribute ? args.positional[0] : undefined
    const after = byAttribute ? args.positional.slice(1) : args.positional
    if (byAttribute && by === undefined) throw new TemplateError('Missing parameter for attribute name')
    const get = getter(by, tools)
    const [name, ...positional] = after
    const test =
      name === undefined
        ? (element: Value) => truth(element)
        : (element: Value) => tools.test(textArgument(name, 'select').value, element, { positional, named: args.named })
    return generator(value, tools, function* (elements) {
      for (const element of elements) if (test(get(element)) === wanted) yield element
    })
  }
}

function generator(
  value: Value,
  { budget }: FilterTools,
  run: (elements: Iterable<Value>) => globalThis.Iterator<Value>,
): Iterator {
  // jinja2's generators begin with `if value:`, so nothing is an empty sequence.
  return new Iterator('generator', run(truth(value) ? iterate(value, budget) : []))
}

function extreme(name: string, sign: number): Filter {
  return (value, args, tools) => {
    const [caseSensitive, by] = bind(args, name, 'case_sensitive', 'attribute')
    const get = getter(by, tools)
    const key = (element: Value) => (flag(caseSensitive) ? get(element) : withoutCase(get(element), tools))
    let best: Value | undefined
    for (const element of iterate(value, tools.budget)) {
      if (best === undefined || compare(key(element), key(best), '<', tools.budget) * sign > 0) best = element
    }
    return or(best, () => new Undefined('No aggregated item, sequence was empty.'))
  }
}

const sum: Filter = (value, args, tools) => {
  const [by, start] = bind(args, 'sum', 'attribute', 'start')
  const get = getter(by, tools)
  let total: Value = or(start, () => 0)
  for (const element of iterate(value, tools.budget)) {
    const next = get(element)
    const both = arithmetic('+', total, next)
    if (both !== undefined) total = both
    else if (total instanceof List && next instanceof List) {
      tools.budget.steps(total.items.length + next.items.length)
      total = new List([...total.items, ...next.items], total.tuple)
    } else throw new TemplateError(`unsupported operand type(s) for +: '${typeName(total)}' and '${typeName(next)}'`)
  }
  return total
}

/** `batch(3)` gives rows of three, `slice(3)` three columns. */
function* batches(elements: Iterable<Value>, size: number, fill: Value | undefined): Generator<Value> {
  let row: Value[] = []
  for (const element of elements) {
    if (row.length === size) {
      yield new List(row)
      row = []
    }
    row.push(element)
  }
  if (row.length === 0) return
  if (fill !== undefined && fill !== null) while (row.length < size) row.push(fill)
  yield new List(row)
}

const batch: Filter = (value, args, tools) => {
  const [count, fill] = bind(args, 'batch', 'linecount', 'fill_with')
  const size = toIndex(count ?? null, 'linecount')
  tools.budget.steps(Math.max(0, size))
  return new Iterator('generator', batches(iterate(value, tools.budget), size, fill))
}

const slice: Filter = (value, args, tools) => {
  const [count, fill] = bind(args, 'slice', 'slices', 'fill_with')
  const columns = toIndex(count ?? null, 'slices')
  const elements = toList(value, tools)
  if (columns < 1) throw new TemplateError('slices must be at least 1')
  tools.budget.steps(columns)
  const least = Math.floor(elements.length / columns)
  const longer = elements.length % columns
  const result: Value[] = []
  let at = 0
  for (let i = 0; i < columns; i++) {
    const end = at + least + (i < longer ? 1 : 0)
    const column = elements.slice(at, end)
    if (fill !== undefined && fill !== null && i >= longer) column.push(fill)
    result.push(new List(column))
    at = end
  }
  return new Iterator('generator', result.values())
}

const groupBy: Filter = (value, args, tools) => {
  const [by, otherwise, caseSensitive] = bind(args, 'groupby', 'attribute', 'default', 'case_sensitive')
  const get = getter(by, tools, otherwise)
  const key = (element: Value) => (flag(caseSensitive) ? get(element) : withoutCase(get(element), tools))
  const groups = new Dict()
  for (const element of sorted(toList(value, tools), key, false, tools)) {
    const group = groups.get(key(element)) as List | undefined
    if (group) (group.items[1] as List).items.push(element)
    else groups.set(key(element), new List([get(element), new List([element])], true, ['grouper', 'list']))
  }
  return new List(groups.entries().map(([, group]) => group))
}

const unique: Filter = (value, args, tools) => {
  const [caseSensitive, by] = bind(args, 'unique', 'case_sensitive', 'attribute')
  const get = getter(by, tools)
  return generator(value, tools, function* (elements) {
    const seen = new Dict()
    for (const element of elements) {
      const key = flag(caseSensitive) ? get(element) : withoutCase(get(element), tools)
      if (seen.get(key) !== undefined) continue
      seen.set(key, true)
      yield element
    }
  })
}

const join: Filter = (value, args, tools) => {
  const [by, name] = bind(args, 'join', 'd', 'attribute')
  const separator = by === undefined ? new Text('') : str(by, tools.budget)
  const get = getter(name, tools)
  const parts: Text[] = []
  for (const element of iterate(value, tools.budget)) {
    if (parts.length > 0) {
      tools.budget.characters(separator.value.length)
      parts.push(separator)
    }
    parts.push(str(get(element), tools.budget))
  }
  return joined(parts, tools.budget)
}

const reverse: Filter = (value, _, tools) => {
  const elements = toList(value, tools).reverse()
  if (isText(value)) return joined(elements as Text[], tools.budget)
  return new Iterator('list_reverseiterator', elements.values())
}

const last: Filter = (value, _, tools) => {
  if (value instanceof Iterator) throw new TemplateError(`'${value.type}' object is not reversible`)
  return or(toList(value, tools).at(-1), () => new Undefined('No last item, sequence was empty.'))
}

const items: Filter = (value, _, tools) => {
  if (value instanceof Undefined) return new Iterator('generator', [].values())
  if (!(value instanceof Dict)) throw new TemplateError('Can only get item pairs from a mapping.')
  const { budget } = tools
  budget.steps(value.size)
  return new Iterator(
    'generator',
    value
      .entries()
      .map((entry) => new List(entry, true))
      .values(),
  )
}

export const SEQUENCE_FILTERS: Readonly<Record<string, Filter>> = {
  batch,
  dictsort: dictSort,
  first: (value, _, { budget }) => {
    for (const element of iterate(value, budget)) return element
    return new Undefined('No first item, sequence was empty.')
  },
  groupby: groupBy,
  items,
  join,
  last,
  list: (value, _, tools) => new List(toList(value, tools)),
  map,
  max: extreme('max', 1),
  min: extreme('min', -1),
  reject: chosen(false, false),
  rejectattr: chosen(false, true),
  reverse,
  select: chosen(true, false),
  selectattr: chosen(true, true),
  slice,
  sort,
  sum,
  unique,
}
