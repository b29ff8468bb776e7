/** How Python writes values: str, repr, and the JSON of transformers' tojson. */
import { type Budget, TemplateError } from './budget.js'
import { concat, EMPTY, Text } from './text.js'
import { Callable, Dict, Float, Iterator, isText, List, Namespace, typeName, Undefined, type Value } from './values.js'

/** `str(value)`: what `{{ value }}` prints. */
export function str(value: Value, budget: Budget): Text {
  if (isText(value)) return value
  return value instanceof Undefined ? EMPTY : repr(value, budget)
}

export function repr(value: Value, budget: Budget): Text {
  budget.steps(1)
  if (isText(value)) {
    budget.characters(value.value.length)
    return value.derived(quote(value.value))
  }
  if (value instanceof List) {
    if (value.shown !== null) return new Text(value.shown)
    const items = budget.nested(() => value.items.map((item) => repr(item, budget)))
    if (!value.tuple) return enclosed('[', items, ']', budget)
    return enclosed('(', items, items.length === 1 ? ',)' : ')', budget)
  }
  if (value instanceof Dict) {
    const items = budget.nested(() =>
      value.entries().map(([key, entry]) => concat([repr(key, budget), new Text(': '), repr(entry, budget)])),
    )
    return enclosed('{', items, '}', budget)
  }
  return new Text(atom(value))
}

function atom(value: Value): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number') return String(value)
  if (value instanceof Float) return floatRepr(value.value)
  if (value instanceof Undefined) return 'Undefined'
  if (value instanceof Callable) return `<function ${value.name}>`
  if (value instanceof Iterator) return `<${value.type} object>`
  return value instanceof Namespace ? '<Namespace>' : `<${typeName(value)}>`
}

function enclosed(open: string, items: Text[], close: string, budget: Budget): Text {
  const parts: Text[] = [new Text(open)]
  for (const [i, item] of items.entries()) {
    if (i > 0) parts.push(new Text(', '))
    parts.push(item)
  }
  parts.push(new Text(close))
  return joined(parts, budget)
}

/** A concatenation that is paid for. */
export function joined(parts: readonly Text[], budget: Budget): Text {
  let length = 0
  let ranges = 0
  for (const part of parts) {
    length += part.value.length
    ranges += part.inputs.length
  }
  budget.characters(length)
  budget.steps(parts.length + ranges)
  return concat(parts)
}

const NAMED: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function quote(value: string): string {
  const mark = value.includes("'") && !value.includes('"') ? '"' : "'"
  const body = value.replace(/[\\'\p{C}\p{Zl}\p{Zp}\p{Zs}]/gu, (point) => {
    if (point === ' ') return point
    if (point === "'") return mark === "'" ? "\\'" : point
    return NAMED[point] ?? escapePoint(point.codePointAt(0) as number)
  })
  return mark + body + mark
}

function escapePoint(code: number): string {
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}

/** The shortest digits that give the float back, as Python lays them out. */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value < 0 ? '-inf' : 'inf'
  if (Object.is(value, -0)) return '-0.0'
  const [digits = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  const plain = value < 0.0001 && value > -0.0001 && value !== 0 ? value.toFixed(20) : String(value)
  return plain.includes('.') ? plain : `${plain}.0`
}

export interface JsonLayout {
  /** A level's indent, or null for one line. */
  indent: string | null
  itemSeparator: string
  keySeparator: string
  sortKeys: boolean
  ascii: boolean
}

export function json(value: Value, layout: JsonLayout, budget: Budget): Text {
  const parts: Text[] = []
  writeJson(value, layout, '\n', parts, budget)
  return joined(parts, budget)
}

function writeJson(value: Value, layout: JsonLayout, newline: string, parts: Text[], budget: Budget): void {
  budget.steps(1)
  if (isText(value)) {
    budget.characters(value.value.length)
    parts.push(value.derived(jsonString(value.value, layout.ascii)))
  } else if (value instanceof List || value instanceof Dict) {
    budget.nested(() => writeJsonItems(value, layout, newline, parts, budget))
  } else parts.push(new Text(jsonAtom(value)))
}

function writeJsonItems(value: List | Dict, layout: JsonLayout, newline: string, parts: Text[], budget: Budget): void {
  const [open, close] = value instanceof List ? ['[', ']'] : ['{', '}']
  const inner = newline + (layout.indent ?? '')
  budget.characters(inner.length)
  parts.push(new Text(open))
  let first = true
  const separate = () => {
    const before = first ? '' : layout.itemSeparator
    first = false
    parts.push(new Text(layout.indent === null ? before : before + inner))
  }
  if (value instanceof List) {
    for (const item of value.items) {
      separate()
      writeJson(item, layout, inner, parts, budget)
    }
  } else {
    const entries = value.entries().map(([key, entry]) => [jsonKey(key), entry] as const)
    if (layout.sortKeys) entries.sort(([a], [b]) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0))
    for (const [key, entry] of entries) {
      separate()
      budget.characters(key.value.length)
      parts.push(key.derived(jsonString(key.value, layout.ascii)), new Text(layout.keySeparator))
      writeJson(entry, layout, inner, parts, budget)
    }
  }
  if (!first && layout.indent !== null) parts.push(new Text(newline))
  parts.push(new Text(close))
}

function jsonKey(key: Value): Text {
  return isText(key) ? key : new Text(jsonAtom(key))
}

function jsonAtom(value: Value): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (value instanceof Float) {
    if (Number.isFinite(value.value)) return floatRepr(value.value)
    return Number.isNaN(value.value) ? 'NaN' : value.value < 0 ? '-Infinity' : 'Infinity'
  }
  throw new TemplateError(`Object of type ${typeName(value)} is not JSON serializable`)
}

function jsonString(value: string, ascii: boolean): string {
  // JSON.stringify escapes lone surrogates and leaves DEL, as Python does; it writes no other escapes than Python.
  const text = JSON.stringify(value)
  if (!ascii) return text
  return text.replace(/[\u007f-\uffff]/g, (unit) =>
    unit === '\u007f' ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
