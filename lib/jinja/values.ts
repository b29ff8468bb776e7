/** The values of Python that templates see, and what Python does with them: truth, equality, order, keys. */
import { type Budget, TemplateError } from './budget.js'
import { compareTexts, type Text, Text as TextClass } from './text.js'

/** None is null; an int is a number, a float a Float. */
export type Value = null | boolean | number | Float | Text | List | Dict | Namespace | Iterator | Callable | Undefined

export class Float {
  constructor(readonly value: number) {}
}

/** A list, or a tuple. */
export class List {
  constructor(
    readonly items: Value[],
    readonly tuple = false,
    /** Of a named tuple, in the order of its items. */
    readonly names: readonly string[] = [],
    /** How it prints, where that is not by its items: a range. */
    readonly shown: string | null = null,
  ) {}
}

export class Dict {
  readonly #entries = new Map<string, [key: Value, value: Value]>()

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    for (const [key, value] of entries) this.set(key, value)
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hash(key))?.[1]
  }

  set(key: Value, value: Value): void {
    const known = this.#entries.get(hash(key))
    this.#entries.set(hash(key), [known ? known[0] : key, value])
  }

  entries(): [key: Value, value: Value][] {
    return [...this.#entries.values()]
  }
}

/** What `namespace()` gives, the one value whose attributes a template can set. */
export class Namespace {
  readonly values = new Map<string, Value>()
}

/** What Python would have made a generator: goes by once, and has no length. */
export class Iterator {
  readonly #next: () => Value | undefined

  constructor(
    readonly type: string,
    next: globalThis.Iterator<Value>,
  ) {
    this.#next = () => {
      const { done, value } = next.next()
      return done ? undefined : value
    }
  }

  /** undefined at its end. */
  next(): Value | undefined {
    return this.#next()
  }
}

export interface Arguments {
  positional: Value[]
  named: Map<string, Value>
}

/** A function, a macro or a bound method. Some have attributes. */
export class Callable {
  constructor(
    readonly name: string,
    readonly call: (args: Arguments) => Value,
    readonly attributes: ReadonlyMap<string, () => Value> = new Map(),
  ) {}
}

/** Jinja's default Undefined: prints as nothing, and fails when something is done with it. */
export class Undefined {
  /** @param reason Why it is not defined, as jinja2 tells it. */
  constructor(readonly reason: string) {}

  fail(): never {
    throw new TemplateError(this.reason)
  }
}

export function isText(value: Value): value is Text {
  return value instanceof TextClass
}

/** `??` for values: None is one. */
export function or(value: Value | undefined, otherwise: () => Value): Value {
  return value === undefined ? otherwise() : value
}

/** The number that Python's arithmetic sees, or undefined. */
export function numeric(value: Value): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  return value instanceof Float ? value.value : undefined
}

export function typeName(value: Value): string {
  if (value === null) return 'NoneType'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'number') return 'int'
  if (value instanceof Float) return 'float'
  if (isText(value)) return 'str'
  if (value instanceof List) return value.tuple ? 'tuple' : 'list'
  if (value instanceof Dict) return 'dict'
  if (value instanceof Namespace) return 'Namespace'
  if (value instanceof Undefined) return 'Undefined'
  return value instanceof Iterator ? value.type : 'function'
}

export function truth(value: Value): boolean {
  if (value === null || value instanceof Undefined) return false
  const number = numeric(value)
  if (number !== undefined) return number !== 0
  if (isText(value)) return value.value !== ''
  if (value instanceof List) return value.items.length > 0
  return value instanceof Dict ? value.size > 0 : true
}

export function equal(a: Value, b: Value, budget: Budget): boolean {
  budget.steps(1)
  if (a === b) return true
  const x = numeric(a)
  if (x !== undefined) return x === numeric(b)
  if (isText(a)) {
    budget.scan(a.value.length)
    return isText(b) && a.value === b.value
  }
  if (a instanceof List) {
    return (
      b instanceof List &&
      a.tuple === b.tuple &&
      a.items.length === b.items.length &&
      budget.nested(() => a.items.every((item, i) => equal(item, b.items[i] as Value, budget)))
    )
  }
  if (a instanceof Dict) {
    if (!(b instanceof Dict) || a.size !== b.size) return false
    return budget.nested(() =>
      a.entries().every(([key, value]) => {
        const other = b.get(key)
        return other !== undefined && equal(value, other, budget)
      }),
    )
  }
  return a instanceof Undefined && b instanceof Undefined
}

/** Python's order: below 0, 0, above 0, or NaN beside a float that is none. */
export function compare(a: Value, b: Value, operator: string, budget: Budget): number {
  budget.steps(1)
  const x = numeric(a)
  const y = numeric(b)
  if (x !== undefined && y !== undefined) return x === y ? 0 : x - y
  if (isText(a) && isText(b)) {
    budget.scan(Math.min(a.value.length, b.value.length))
    return compareTexts(a.value, b.value)
  }
  if (a instanceof List && b instanceof List && a.tuple === b.tuple) {
    const length = Math.min(a.items.length, b.items.length)
    return budget.nested(() => {
      for (let i = 0; i < length; i++) {
        const [left, right] = [a.items[i] as Value, b.items[i] as Value]
        if (!equal(left, right, budget)) return compare(left, right, operator, budget)
      }
      return a.items.length - b.items.length
    })
  }
  if (a instanceof Undefined) a.fail()
  if (b instanceof Undefined) b.fail()
  throw new TemplateError(`'${operator}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`)
}

/** Of a tuple that is a key, those of its tuples included. */
const MAX_KEY_ITEMS = 1000

/** A key under which equal values meet. @throws {TemplateError} for what Python cannot hash. */
function hash(value: Value, room = { items: MAX_KEY_ITEMS }): string {
  if (--room.items < 0) throw new TemplateError(`a key has more than ${MAX_KEY_ITEMS} items`)
  if (isText(value)) return `s${value.value}`
  const number = numeric(value)
  if (number !== undefined) return `n${number}`
  if (value === null) return 'none'
  if (value instanceof Undefined) return 'undefined'
  if (value instanceof List && value.tuple) {
    // Lengths keep ('a,b',) apart from ('a', 'b').
    return `t${value.items
      .map((item) => hash(item, room))
      .map((item) => `${item.length}:${item}`)
      .join()}`
  }
  throw new TemplateError(`unhashable type: '${typeName(value)}'`)
}

/** Whether {@link iterate} takes it: also what is undefined, which has no elements. */
export function isIterable(value: Value): boolean {
  return (
    isText(value) ||
    value instanceof List ||
    value instanceof Dict ||
    value instanceof Iterator ||
    value instanceof Undefined
  )
}

/** The elements of what can be iterated over, one by one: a text by its characters, a dict by its keys. */
export function* iterate(value: Value, budget: Budget): Generator<Value, void> {
  if (isText(value)) {
    let at = 0
    for (const point of value.value) {
      budget.steps(1)
      yield value.slice(at, at + point.length)
      at += point.length
    }
  } else if (value instanceof Iterator) {
    for (let item = value.next(); item !== undefined; item = value.next()) {
      budget.steps(1)
      yield item
    }
  } else if (value instanceof List || value instanceof Dict) {
    const items = value instanceof List ? value.items : value.entries().map(([key]) => key)
    for (const item of items) {
      budget.steps(1)
      yield item
    }
  } else if (!(value instanceof Undefined)) {
    throw new TemplateError(`'${typeName(value)}' object is not iterable`)
  }
}
