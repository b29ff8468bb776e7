/** Filters of one value; those of sequences are in sequences.ts. */

import { bind, textArgument } from './arguments.js'
import { attribute } from './attributes.js'
import { type Budget, TemplateError } from './budget.js'
import { center, percentFormat } from './formatting.js'
import { int, roundHalfEven, toIndex } from './numbers.js'
import { joined, json, str } from './printing.js'
import { SEQUENCE_FILTERS } from './sequences.js'
import { lines, strip } from './splitting.js'
import { capitalize, replace, titleWord } from './strings.js'
import { codePoints, concat, escaped, firstPoints, Markup, Text } from './text.js'
import type { Filter, FilterTools } from './tools.js'
import {
  type Arguments,
  Dict,
  Float,
  isIterable,
  isText,
  iterate,
  List,
  numeric,
  or,
  truth,
  typeName,
  Undefined,
  type Value,
} from './values.js'

/** A filter of a text; what is not one is printed first, as jinja2's soft_str does. */
function ofText(change: (text: Text, args: Arguments, tools: FilterTools) => Value): Filter {
  return (value, args, tools) => {
    const text = str(value, tools.budget)
    tools.budget.characters(text.value.length)
    return change(text, args, tools)
  }
}

const escapeHtml = ofText((text) => escaped(text))

const length = (value: Value): number => {
  if (isText(value)) return codePoints(value)
  if (value instanceof List) return value.items.length
  if (value instanceof Dict) return value.size
  if (value instanceof Undefined) return 0
  throw new TemplateError(`object of type '${typeName(value)}' has no len()`)
}

const defaultTo: Filter = (value, args) => {
  const [otherwise, boolean] = bind(args, 'default', 'default_value', 'boolean')
  const absent = value instanceof Undefined || (boolean !== undefined && truth(boolean) && !truth(value))
  return absent ? or(otherwise, () => new Text('')) : value
}

const indent: Filter = (value, args, { budget }) => {
  const text = textArgument(value, 'indent')
  const [width, first, blank] = bind(args, 'indent', 'width', 'first', 'blank')
  const size = width === undefined ? 4 : isText(width) ? width : toIndex(width, 'a width')
  if (typeof size === 'number') budget.characters(Math.max(0, size))
  const prefix = typeof size === 'number' ? new Text(' '.repeat(Math.max(0, size))) : size
  // jinja2 adds a newline first, so that a text that ends in one keeps it.
  const rows = lines(concat([text, new Text('\n')]), false, budget)
  const parts: Text[] = []
  for (const [i, row] of rows.entries()) {
    if (i > 0) parts.push(new Text('\n'))
    const indented =
      i === 0 ? first !== undefined && truth(first) : row.value !== '' || (blank !== undefined && truth(blank))
    if (indented) {
      budget.characters(prefix.value.length)
      parts.push(prefix)
    }
    parts.push(row)
  }
  return joined(parts, budget)
}

const toJson: Filter = (value, args, { budget }) => {
  const [ascii, indentation, separators, sortKeys] = bind(
    args,
    'tojson',
    'ensure_ascii',
    'indent',
    'separators',
    'sort_keys',
  )
  let step: string | null = null
  if (indentation !== undefined && indentation !== null) {
    const width = isText(indentation) ? null : toIndex(indentation, 'indent')
    budget.characters(Math.max(0, width ?? 0))
    step = width === null ? (indentation as Text).value : ' '.repeat(Math.max(0, width))
  }
  const [itemSeparator, keySeparator] =
    separators instanceof List
      ? separators.items.map((separator) => textArgument(separator, 'separators').value)
      : [step === null ? ', ' : ',', ': ']
  const layout = {
    indent: step,
    itemSeparator: itemSeparator as string,
    keySeparator: keySeparator as string,
    sortKeys: sortKeys !== undefined && truth(sortKeys),
    ascii: ascii !== undefined && truth(ascii),
  }
  if (value instanceof Undefined) value.fail()
  return json(value, layout, budget)
}

const toInt: Filter = (value, args) => {
  const [otherwise, base] = bind(args, 'int', 'default', 'base')
  const fallback = or(otherwise, () => 0)
  if (!isText(value)) {
    const number = numeric(value)
    return number !== undefined && Number.isFinite(number) ? int(Math.trunc(number)) : fallback
  }
  const radix = base === undefined ? 10 : toIndex(base, 'base')
  const digits = strip(value, null, true, true)
    .value.replace(/(\d)_(?=\d)/g, '$1')
    .toLowerCase()
  const prefix = { 2: '0b', 8: '0o', 16: '0x' }[radix]
  const found = /^([+-]?)(0[box])?([\da-z]+)$/.exec(digits)
  if (found && (found[2] === undefined || found[2] === prefix)) {
    const all = found[3] as string
    const valid = [...all].every((digit) => Number.parseInt(digit, 36) < radix)
    if (valid) return int(Number.parseInt(all, radix) * (found[1] === '-' ? -1 : 1))
  }
  const number = parseFloatText(digits)
  return number === undefined || !Number.isFinite(number) ? fallback : int(Math.trunc(number))
}

function parseFloatText(text: string): number | undefined {
  if (/^[+-]?(inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^[+-]?nan$/i.test(text)) return Number.NaN
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

const toFloat: Filter = (value, args) => {
  const [otherwise] = bind(args, 'float', 'default')
  const number = isText(value) ? parseFloatText(strip(value, null, true, true).value) : numeric(value)
  if (number !== undefined) return new Float(number)
  return or(otherwise, () => new Float(0))
}

const round: Filter = (value, args) => {
  const [precision, method] = bind(args, 'round', 'precision', 'method')
  const digits = precision === undefined ? 0 : toIndex(precision, 'precision')
  const how = method === undefined ? 'common' : textArgument(method, 'round').value
  const number = numeric(value)
  if (number === undefined) throw new TemplateError(`round expects a number, not ${typeName(value)}`)
  if (how === 'common') {
    const rounded = roundHalfEven(number, digits)
    return value instanceof Float ? new Float(rounded) : int(rounded)
  }
  if (how !== 'ceil' && how !== 'floor') throw new TemplateError('method must be common, ceil or floor')
  return new Float(Math[how](number * 10 ** digits) / 10 ** digits)
}

const truncate: Filter = (text, args, tools) => {
  const [limit, kill, end, leeway] = bind(args, 'truncate', 'length', 'killwords', 'end', 'leeway')
  const most = limit === undefined ? 255 : toIndex(limit, 'length')
  const ending = end === undefined ? new Text('...') : textArgument(end, 'truncate')
  const extra = leeway === undefined || leeway === null ? 5 : toIndex(leeway, 'leeway')
  if (length(text) <= most + extra) return text
  if (!isText(text)) throw new TemplateError(`truncate shortens a text, not ${typeName(text)}`)
  tools.budget.characters(text.value.length)
  const cut = firstPoints(text, Math.max(0, most - codePoints(ending)))
  if (kill !== undefined && truth(kill)) return joined([cut, ending], tools.budget)
  const space = cut.value.lastIndexOf(' ')
  return joined([space < 0 ? cut : cut.slice(0, space), ending], tools.budget)
}

const title = ofText((text) => text.mapParts((part) => part.replace(/[^-\s({[<]+/gu, titleWord)))

/** Without what stands between two marks, and them; by hand, since a pattern would search to the end for every mark. */
function without(text: string, open: string, close: string): string {
  let kept = ''
  let at = 0
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, at)) {
    const end = text.indexOf(close, start + open.length)
    if (end < 0) break
    kept += text.slice(at, start)
    at = end + close.length
  }
  return kept + text.slice(at)
}

/** Of a text as a part of a path; of pairs as a query, in which a space is `+` and a slash is escaped. */
const urlEncode: Filter = (value, _, { budget }) => {
  const quote = (part: Value, slash: string, space: string): Text => {
    const text = str(part, budget)
    return text.derived(
      encodeURIComponent(
        text.value.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd'),
      ).replace(/[!'()*]|%2F|%20/g, (found) => {
        if (found === '%2F') return slash
        return found === '%20' ? space : `%${found.charCodeAt(0).toString(16).toUpperCase()}`
      }),
    )
  }
  if (isText(value) || !isIterable(value)) return quote(value, '/', '%20')
  const pairs =
    value instanceof Dict ? value.entries() : [...iterate(value, budget)].map((pair) => unpacked(pair, budget))
  return joined(
    pairs.flatMap(([key, content], i) => [
      new Text(i > 0 ? '&' : ''),
      quote(key, '%2F', '+'),
      new Text('='),
      quote(content, '%2F', '+'),
    ]),
    budget,
  )
}

function unpacked(pair: Value, budget: Budget): [Value, Value] {
  const [key, value, ...more] = iterate(pair, budget)
  if (key === undefined || value === undefined || more.length > 0) {
    throw new TemplateError(`urlencode expects pairs, not ${typeName(pair)}`)
  }
  return [key, value]
}

export const FILTERS: Readonly<Record<string, Filter>> = {
  ...SEQUENCE_FILTERS,
  abs: (value) => {
    const number = numeric(value)
    if (number === undefined) throw new TemplateError(`bad operand type for abs(): '${typeName(value)}'`)
    return value instanceof Float ? new Float(Math.abs(number)) : Math.abs(number)
  },
  attr: (value, args, tools) => {
    const [name] = bind(args, 'attr', 'name')
    // Attributes only, never items.
    if (value instanceof Dict)
      return new Undefined(`'dict object' has no attribute '${textArgument(name, 'attr').value}'`)
    return attribute(value, textArgument(name, 'attr').value, tools)
  },
  capitalize: ofText((text) => capitalize(text)),
  center: ofText((text, args, { budget }) => {
    const [width] = bind(args, 'center', 'width')
    return center(text, width === undefined ? 80 : toIndex(width, 'a width'), ' ', budget)
  }),
  count: length,
  d: defaultTo,
  default: defaultTo,
  e: escapeHtml,
  escape: escapeHtml,
  float: toFloat,
  forceescape: ofText((text) => escaped(new Text(text.value, text.inputs))),
  format: (value, args, { budget }) => {
    const named = new Dict([...args.named].map(([key, entry]) => [new Text(key), entry]))
    if (args.positional.length > 0 && named.size > 0) {
      throw new TemplateError("can't handle positional and keyword arguments at the same time")
    }
    return percentFormat(str(value, budget), named.size > 0 ? named : new List(args.positional, true), budget)
  },
  indent,
  int: toInt,
  length,
  lower: ofText((text) => text.mapParts((part) => part.toLowerCase())),
  replace: ofText((text, args, { budget }) => {
    const [from, to, count] = bind(args, 'replace', 'old', 'new', 'count')
    const most = count === undefined || count === null ? -1 : toIndex(count, 'count')
    return replace(text, str(from ?? null, budget), str(to ?? null, budget), most, budget)
  }),
  round,
  safe: ofText((text) => new Markup(text.value, text.inputs)),
  string: ofText((text) => text),
  striptags: ofText((text) => {
    const plain = without(without(text.value, '<!--', '-->'), '<', '>')
    return text.derived(plain.split(/\s+/).filter(Boolean).join(' '))
  }),
  title,
  tojson: toJson,
  trim: ofText((text, args) => {
    const [chars] = bind(args, 'trim', 'chars')
    return strip(text, chars === undefined || chars === null ? null : textArgument(chars, 'trim'), true, true)
  }),
  truncate,
  upper: ofText((text) => text.mapParts((part) => part.toUpperCase())),
  urlencode: urlEncode,
  wordcount: ofText((text) => text.value.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
}
