/** The methods of Python's str. */
import { bind, textArgument } from './arguments.js'
import { type Budget, TemplateError } from './budget.js'
import { center, pad } from './formatting.js'
import { toIndex } from './numbers.js'
import { joined } from './printing.js'
import { lines, partition, SPACE, split, strip } from './splitting.js'
import { characters, codePoints, concat, offsets, pointIndex, Text } from './text.js'
import type { MethodTools } from './tools.js'
import { type Arguments, isText, iterate, List, typeName, type Value } from './values.js'

type Method = (self: Text, args: Arguments, tools: MethodTools) => Value

export function replace(self: Text, from: Text, to: Text, count: number, budget: Budget): Text {
  const parts: Text[] = []
  let at = 0
  let left = count < 0 ? Infinity : count
  const { value } = self
  if (from.value === '') {
    for (const character of characters(self)) {
      if (left-- > 0) parts.push(to)
      parts.push(character)
      budget.steps(2)
    }
    if (left > 0) parts.push(to)
    return joined(parts, budget)
  }
  // Paid for as it grows: the result may be far larger than the text.
  for (let found = value.indexOf(from.value); found >= 0 && left > 0; found = value.indexOf(from.value, at)) {
    budget.steps(1)
    budget.characters(to.value.length)
    parts.push(self.slice(at, found), to)
    at = found + from.value.length
    left--
  }
  if (at === 0) return self
  parts.push(self.slice(at))
  return joined(parts, budget)
}

export function capitalize(self: Text): Text {
  const first = self.value.codePointAt(0)
  if (first === undefined) return self
  const size = first > 0xffff ? 2 : 1
  return concat([
    self.slice(0, size).mapParts((part) => part.toUpperCase()),
    self.slice(size).mapParts((part) => part.toLowerCase()),
  ])
}

/** The part between two Python indices, and its UTF-16 offset. */
export function part(self: Text, start: Value | undefined, end: Value | undefined): [Text, number] {
  const starts = offsets(self)
  const length = starts ? starts.length - 1 : self.value.length
  const at = (value: Value | undefined, otherwise: number) => {
    if (value === undefined || value === null) return otherwise
    const index = toIndex(value, 'slice indices')
    return Math.min(Math.max(index < 0 ? index + length : index, 0), length)
  }
  const from = at(start, 0)
  const to = Math.max(from, at(end, length))
  const offset = starts ? (starts[from] as number) : from
  return [self.slice(offset, starts ? starts[to] : to), offset]
}

function find(self: Text, args: Arguments, name: string): number {
  const [sub, start, end] = bind(args, name, 'sub', 'start', 'end')
  const { value } = textArgument(sub, name)
  const [within, offset] = part(self, start, end)
  const found = name.startsWith('r') ? within.value.lastIndexOf(value) : within.value.indexOf(value)
  if (found >= 0) return pointIndex(self, offset + found)
  if (name.endsWith('index')) throw new TemplateError('substring not found')
  return -1
}

function affix(self: Text, args: Arguments, name: 'startsWith' | 'endsWith'): boolean {
  const [prefix, start, end] = bind(args, name.toLowerCase(), 'prefix', 'start', 'end')
  const candidates = prefix instanceof List ? prefix.items : [prefix]
  const [{ value }] = part(self, start, end)
  return candidates.some((candidate) => value[name](textArgument(candidate, name.toLowerCase()).value))
}

const all = (pattern: RegExp) => (self: Text) => pattern.test(self.value)
const changed =
  (change: (part: string) => string) =>
  (self: Text, _: Arguments, { budget }: MethodTools) => {
    budget.characters(self.value.length)
    return self.mapParts(change)
  }
const padded =
  (name: string, align: '<' | '>' | 'center'): Method =>
  (self, args, { budget }) => {
    const [width, fill] = bind(args, name, 'width', 'fillchar')
    const filler = fill === undefined ? ' ' : textArgument(fill, name).value
    if ([...filler].length !== 1) throw new TemplateError('The fill character must be exactly one character long')
    if (width === undefined) throw new TemplateError(`${name} misses an argument`)
    const columns = toIndex(width, 'a width')
    if (align === 'center') return center(self, columns, filler, budget)
    return pad(self, { width: columns, align, fill: filler }, budget)
  }

function swapCase(text: string): string {
  return text.replace(/\p{Lu}|\p{Ll}/gu, (letter) =>
    letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase(),
  )
}

export function titleWord(word: string): string {
  const [first = '', ...rest] = word
  const [initial = '', ...more] = first.toUpperCase() // two for a ligature
  return initial + [...more, ...rest].join('').toLowerCase()
}

function titleCase(text: string): string {
  return text.replace(/\p{Cased}+/gu, titleWord)
}

function join(self: Text, args: Arguments, { budget }: MethodTools): Text {
  const [items] = bind(args, 'join', 'iterable')
  const parts: Text[] = []
  for (const item of iterate(items ?? null, budget)) {
    if (!isText(item)) {
      throw new TemplateError(`sequence item ${parts.length}: expected str instance, ${typeName(item)} found`)
    }
    if (parts.length > 0) parts.push(self)
    budget.characters(self.value.length)
    parts.push(item)
  }
  return joined(parts, budget)
}

export const STRING_METHODS: Readonly<Record<string, Method>> = {
  capitalize: (self) => capitalize(self),
  casefold: changed((part) => part.toLowerCase().replaceAll('ß', 'ss')),
  center: padded('center', 'center'),
  count: (self, args) => {
    const [sub, start, end] = bind(args, 'count', 'sub', 'start', 'end')
    const { value } = textArgument(sub, 'count')
    const [within] = part(self, start, end)
    return value === '' ? codePoints(within) + 1 : within.value.split(value).length - 1
  },
  endswith: (self, args) => affix(self, args, 'endsWith'),
  expandtabs: (self, args, { budget }) => {
    const [size] = bind(args, 'expandtabs', 'tabsize')
    const columns = size === undefined ? 8 : toIndex(size, 'tabsize')
    let column = 0
    const parts = characters(self).map((character) => {
      if (character.value !== '\t') {
        column = /[\n\r]/.test(character.value) ? 0 : column + 1
        return character
      }
      const width = columns > 0 ? columns - (column % columns) : 0
      budget.characters(width)
      column += width
      return character.derived(' '.repeat(width))
    })
    return joined(parts, budget)
  },
  find: (self, args) => find(self, args, 'find'),
  index: (self, args) => find(self, args, 'index'),
  isalnum: all(/^[\p{L}\p{N}]+$/u),
  isalpha: all(/^\p{L}+$/u),
  isascii: all(/^\p{ASCII}*$/u),
  isdecimal: all(/^\p{Nd}+$/u),
  isdigit: all(/^[\p{Nd}²³¹⁰⁴-⁹₀-₉]+$/u),
  isidentifier: all(/^[\p{L}\p{Nl}_][\p{L}\p{M}\p{N}_]*$/u),
  islower: ({ value }) => /\p{Ll}/u.test(value) && !/[\p{Lu}\p{Lt}]/u.test(value),
  isnumeric: all(/^\p{N}+$/u),
  isprintable: ({ value }) => !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(value),
  isspace: ({ value }) => value !== '' && new RegExp(`^[${SPACE}]+$`).test(value),
  istitle: ({ value }) => /\p{Lu}/u.test(value) && titleCase(value) === value,
  isupper: ({ value }) => /\p{Lu}/u.test(value) && !/[\p{Ll}\p{Lt}]/u.test(value),
  join,
  ljust: padded('ljust', '<'),
  lower: changed((part) => part.toLowerCase()),
  lstrip: (self, args) => strip(self, chars(args, 'lstrip'), true, false),
  partition: (self, args) => partition(self, args, false),
  removeprefix: (self, args) => {
    const { value } = textArgument(bind(args, 'removeprefix', 'prefix')[0], 'removeprefix')
    return self.value.startsWith(value) ? self.slice(value.length) : self
  },
  removesuffix: (self, args) => {
    const { value } = textArgument(bind(args, 'removesuffix', 'suffix')[0], 'removesuffix')
    return value && self.value.endsWith(value) ? self.slice(0, self.value.length - value.length) : self
  },
  replace: (self, args, { budget }) => {
    const [from, to, count] = bind(args, 'replace', 'old', 'new', 'count')
    const most = count === undefined ? -1 : toIndex(count, 'count')
    return replace(self, textArgument(from, 'replace'), textArgument(to, 'replace'), most, budget)
  },
  rfind: (self, args) => find(self, args, 'rfind'),
  rindex: (self, args) => find(self, args, 'rindex'),
  rjust: padded('rjust', '>'),
  rpartition: (self, args) => partition(self, args, true),
  rsplit: (self, args, { budget }) => split(self, args, true, budget),
  rstrip: (self, args) => strip(self, chars(args, 'rstrip'), false, true),
  split: (self, args, { budget }) => split(self, args, false, budget),
  splitlines: (self, args, { budget }) => {
    const [keepEnds] = bind(args, 'splitlines', 'keepends')
    return new List(lines(self, keepEnds === true || (typeof keepEnds === 'number' && keepEnds !== 0), budget))
  },
  startswith: (self, args) => affix(self, args, 'startsWith'),
  strip: (self, args) => strip(self, chars(args, 'strip'), true, true),
  swapcase: changed(swapCase),
  title: changed(titleCase),
  upper: changed((part) => part.toUpperCase()),
  zfill: (self, args, { budget }) => {
    const width = toIndex(bind(args, 'zfill', 'width')[0] ?? null, 'a width')
    const sign = /^[+-]/.test(self.value) ? 1 : 0
    const missing = width - codePoints(self)
    if (missing <= 0) return self
    budget.characters(missing)
    return concat([self.slice(0, sign), new Text('0'.repeat(missing)), self.slice(sign)])
  },
}

function chars(args: Arguments, name: string): Text | null {
  const [value] = bind(args, name, 'chars')
  return value === undefined || value === null ? null : textArgument(value, name)
}
