/** Python's three ways to lay out values in a text: `%`, `str.format`, and the format specification of both. */
import { type Budget, TemplateError } from './budget.js'
import { roundHalfEven, toIndex } from './numbers.js'
import { floatRepr, joined, repr, str } from './printing.js'
import { codePoints, firstPoints, Text } from './text.js'
import { type Arguments, Dict, Float, isText, List, numeric, typeName, Undefined, type Value } from './values.js'

const DIRECTIVE = /%(?:\(([^)]*)\))?([#0\- +]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([\s\S])?/g

/** `template % values`. */
export function percentFormat(template: Text, values: Value, budget: Budget): Text {
  const queue = values instanceof List && values.tuple ? [...values.items] : [values]
  let used = 0
  const take = (): Value => {
    if (used >= queue.length) throw new TemplateError('not enough arguments for format string')
    return queue[used++] as Value
  }
  const parts: Text[] = []
  let at = 0
  let named = false
  for (const match of template.value.matchAll(DIRECTIVE)) {
    budget.steps(1)
    const [whole, key, flags = '', width, precision, type] = match
    parts.push(template.slice(at, match.index))
    at = match.index + whole.length
    if (type === '%') {
      parts.push(new Text('%'))
      continue
    }
    const field: Spec = { ...plain, align: flags.includes('-') ? '<' : '>', sign: flags.includes('+') ? '+' : '-' }
    if (flags.includes(' ') && field.sign === '-') field.sign = ' '
    if (flags.includes('0') && field.align === '>') field.zero = true
    if (width !== undefined) field.width = width === '*' ? toIndex(take(), 'a width') : Number(width)
    if (whole.includes('.')) {
      field.precision = precision === '*' ? toIndex(take(), 'a precision') : Number(precision ?? 0)
    }
    let value: Value
    if (key !== undefined) {
      named = true
      if (!(values instanceof Dict)) throw new TemplateError('format requires a mapping')
      const found = values.get(new Text(key))
      if (found === undefined) throw new TemplateError(`the format has no value for '${key.slice(0, 40)}'`)
      value = found
    } else value = take()
    parts.push(directive(value, type, field, flags.includes('#'), budget))
  }
  parts.push(template.slice(at))
  // As Python: only a tuple, or what cannot be subscripted, must be used up.
  const mapping = values instanceof Dict || values instanceof Undefined || (values instanceof List && !values.tuple)
  if (!named && used < queue.length && !mapping) {
    throw new TemplateError('not all arguments converted during string formatting')
  }
  return joined(parts, budget)
}

function directive(value: Value, type: string | undefined, field: Spec, alternate: boolean, budget: Budget): Text {
  switch (type) {
    case 's':
    case 'r':
    case 'a':
      return pad(cutTo(type === 's' ? str(value, budget) : repr(value, budget), field), field, budget)
    case 'c':
      if (isText(value) && codePoints(value) === 1) return pad(value, field, budget)
      return pad(new Text(String.fromCodePoint(toIndex(value, '%c'))), field, budget)
    case 'd':
    case 'i':
    case 'u': {
      const number = numeric(value)
      if (number === undefined)
        throw new TemplateError(`%${type} format: a real number is required, not ${typeName(value)}`)
      return formatNumber(new Float(Math.trunc(number) + 0), { ...field, type: 'f', precision: 0 }, budget)
    }
    case 'x':
    case 'X':
    case 'o':
      return formatNumber(toIndex(value, `%${type}`), { ...field, type, alternate }, budget)
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G': {
      const number = numeric(value)
      if (number === undefined) throw new TemplateError(`must be real number, not ${typeName(value)}`)
      return formatNumber(new Float(number), { ...field, type, precision: field.precision ?? 6 }, budget)
    }
  }
  throw new TemplateError(`unsupported format character ${JSON.stringify(type ?? 'at the end')}`)
}

/** How a field finds the parts of a value: attributes and subscripts. */
export type Lookup = (value: Value, name: string, kind: 'attribute' | 'item') => Value

/** `template.format(*args, **kwargs)`. */
export function strFormat(template: Text, args: Arguments, lookup: Lookup, budget: Budget): Text {
  const source = template.value
  const parts: Text[] = []
  let automatic = 0
  const field = (text: string, level: number): Text => {
    if (level > 2) throw new TemplateError('Max string recursion exceeded')
    const found = /^([^!:]*)(?:!([^:]*))?(?::([\s\S]*))?$/.exec(text)
    if (!found) throw new TemplateError('expected a field of str.format')
    const [, path = '', conversion, rawSpec = ''] = found
    const [first = '', ...rest] = path.split(/(?=[.[])/)
    const name = first === '' ? String(automatic++) : first
    let value = /^\d+$/.test(name) ? args.positional[Number(name)] : args.named.get(name)
    if (value === undefined) throw new TemplateError(`no value for the field {${name.slice(0, 40)}}`)
    for (const step of rest) {
      value = lookup(
        value,
        step.startsWith('.') ? step.slice(1) : step.slice(1, -1),
        step[0] === '.' ? 'attribute' : 'item',
      )
    }
    const spec = rawSpec.replace(/\{([^{}]*)\}/g, (_, inner: string) => field(inner, level + 1).value)
    if (conversion === 'r' || conversion === 'a') value = repr(value, budget)
    else if (conversion === 's') value = str(value, budget)
    else if (conversion !== undefined) throw new TemplateError(`unknown conversion !${conversion.slice(0, 40)}`)
    return formatValue(value, spec, budget)
  }
  let at = 0
  for (let i = 0; i < source.length; i++) {
    if (source[i] !== '{' && source[i] !== '}') continue
    budget.steps(1)
    parts.push(template.slice(at, i))
    if (source[i + 1] === source[i]) {
      parts.push(template.slice(i, i + 1))
      at = ++i + 1
      continue
    }
    if (source[i] === '}') throw new TemplateError("Single '}' encountered in format string")
    const end = fieldEnd(source, i)
    parts.push(field(source.slice(i + 1, end), 1))
    i = end
    at = end + 1
  }
  parts.push(template.slice(at))
  return joined(parts, budget)
}

function fieldEnd(source: string, start: number): number {
  let depth = 0
  for (let i = start; i < source.length; i++) {
    if (source[i] === '{') depth++
    else if (source[i] === '}' && --depth === 0) return i
  }
  throw new TemplateError("expected '}' before end of string")
}

interface Spec {
  fill: string
  align: '<' | '>' | '^' | '=' | ''
  sign: '+' | '-' | ' '
  alternate: boolean
  zero: boolean
  width: number
  group: ',' | '_' | ''
  precision: number | null
  type: string
}

const plain: Spec = {
  fill: ' ',
  align: '',
  sign: '-',
  alternate: false,
  zero: false,
  width: 0,
  group: '',
  precision: null,
  type: '',
}

/** `format(value, spec)`. */
function formatValue(value: Value, spec: string, budget: Budget): Text {
  const found = /^(?:([\s\S])?([<>=^]))?([+\- ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/u.exec(spec)
  if (!found) throw new TemplateError(`invalid format specifier '${spec.slice(0, 40)}'`)
  const [, fill, align, sign, , alternate, zero, width, group, precision, type] = found
  const field: Spec = {
    fill: fill ?? ' ',
    align: (align ?? '') as Spec['align'],
    sign: (sign ?? '-') as Spec['sign'],
    alternate: alternate !== undefined,
    zero: zero !== undefined,
    width: Number(width ?? 0),
    group: (group ?? '') as Spec['group'],
    precision: precision === undefined ? null : Number(precision),
    type: type ?? '',
  }
  if (numeric(value) !== undefined && !(typeof value === 'boolean' && spec === '')) {
    return formatNumber(typeof value === 'boolean' ? Number(value) : (value as number | Float), field, budget)
  }
  if (!isText(value) && spec !== '') {
    throw new TemplateError(`unsupported format string passed to ${typeName(value)}.__format__`)
  }
  if (field.type && field.type !== 's') throw new TemplateError(`Unknown format code '${field.type}' for a str`)
  return pad(cutTo(str(value, budget), field), { ...field, align: field.align || '<' }, budget)
}

function cutTo(text: Text, { precision }: Spec): Text {
  return precision === null ? text : firstPoints(text, precision)
}

function formatNumber(value: number | Float, field: Spec, budget: Budget): Text {
  if ((field.precision ?? 0) > 100) throw new TemplateError('the precision of a number is limited to 100')
  const number = value instanceof Float ? value.value : value
  const digits = magnitude(value, Math.abs(number), field)
  const negative = number < 0 || Object.is(number, -0)
  const sign = negative ? '-' : field.sign === '-' ? '' : field.sign
  const [, prefix = '', whole = '', rest = ''] = /^(0[xXob])?([\da-fA-F]*)([\s\S]*)$/.exec(digits) ?? []
  const size = /[xXob]/.test(field.type) ? 4 : 3
  const grouped = field.group ? whole.replace(new RegExp(`\\B(?=(?:[\\da-fA-F]{${size}})+$)`, 'g'), field.group) : whole
  const body = grouped + rest
  if ((field.zero && !field.align) || field.align === '=' || (field.zero && field.align === '>')) {
    const fill = field.zero ? '0' : field.fill
    const missing = Math.max(0, field.width - sign.length - prefix.length - body.length)
    budget.characters(missing)
    return new Text(sign + prefix + fill.repeat(missing) + body)
  }
  return pad(new Text(sign + prefix + body), { ...field, align: field.align || '>' }, budget)
}

function magnitude(value: number | Float, number: number, { type, precision, alternate }: Spec): string {
  const upper = (text: string) => (/[EFGX]/.test(type) ? text.toUpperCase() : text)
  if (!Number.isFinite(number) && type !== 'd') return upper(Number.isNaN(number) ? 'nan' : 'inf')
  switch (type) {
    case 'd':
    case 'n':
    case 'b':
    case 'o':
    case 'x':
    case 'X': {
      if (value instanceof Float) {
        if (type === 'n') break
        throw new TemplateError(`Unknown format code '${type}' for object of type 'float'`)
      }
      if (type === 'd' || type === 'n') return String(number)
      const digits = number.toString(type === 'b' ? 2 : type === 'o' ? 8 : 16)
      return (alternate ? `0${type}` : '') + upper(digits)
    }
    case 'f':
    case 'F':
      return roundedFixed(number, precision ?? 6)
    case '%':
      return `${roundedFixed(number * 100, precision ?? 6)}%`
    case 'e':
    case 'E':
      return upper(exponential(number, precision ?? 6))
    case 'c':
      return String.fromCodePoint(number)
    case 'g':
    case 'G':
      return upper(general(number, precision ?? 6))
    case '':
      if (!(value instanceof Float)) return String(number)
      return precision === null ? floatRepr(number) : general(number, precision)
  }
  throw new TemplateError(`Unknown format code '${type}' for a number`)
}

function roundedFixed(number: number, precision: number): string {
  return number < 1e21
    ? roundHalfEven(number, precision).toFixed(precision)
    : BigInt(number) + (precision ? `.${'0'.repeat(precision)}` : '')
}

function exponential(number: number, precision: number): string {
  const [digits, power = '0'] = number.toExponential(precision).split('e')
  const exponent = Number(power)
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

function general(number: number, precision: number): string {
  const digits = precision || 1
  const power = number === 0 ? 0 : Number(number.toExponential(digits - 1).split('e')[1])
  const text =
    power < -4 || power >= digits ? exponential(number, digits - 1) : number.toFixed(Math.max(0, digits - 1 - power))
  return text.includes('.') ? text.replace(/\.?0+(?=e|$)/, '') : text
}

/** Fills a text up to a width in code points. */
export function pad(text: Text, { width, align, fill }: Pick<Spec, 'width' | 'align' | 'fill'>, budget: Budget): Text {
  const missing = width - codePoints(text)
  if (missing <= 0) return text
  budget.characters(missing * fill.length)
  const left = align === '<' ? 0 : align === '^' ? Math.floor(missing / 2) : missing
  return joined([new Text(fill.repeat(left)), text, new Text(fill.repeat(missing - left))], budget)
}

/** `str.center(width)`: of an odd rest, the larger part stands where the width's parity says. */
export function center(text: Text, width: number, fill: string, budget: Budget): Text {
  const missing = Math.max(0, width - codePoints(text))
  const left = Math.floor(missing / 2) + (missing % 2 === 1 && width % 2 === 1 ? 1 : 0)
  const indented = pad(text, { width: width - (missing - left), align: '>', fill }, budget)
  return pad(indented, { width, align: '<', fill }, budget)
}
