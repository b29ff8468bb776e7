/** Stripping, splitting and partitioning as Python's str does it. */
import { bind, textArgument } from './arguments.js'
import { type Budget, TemplateError } from './budget.js'
import { toIndex } from './numbers.js'
import { EMPTY, type Text } from './text.js'
import { type Arguments, List } from './values.js'

/** What Python's str.isspace accepts. */
export const SPACE = '\\t-\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const IS_SPACE = new RegExp(`[${SPACE}]`)
const WORDS = new RegExp(`[^${SPACE}]+`, 'g')
// biome-ignore lint/suspicious/noControlCharactersInRegex: they end lines in Python
const LINE_END = /\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/g

/** Without white space, or the given characters, at its ends. */
export function strip(self: Text, chars: Text | null, left: boolean, right: boolean): Text {
  const set = chars && new Set(chars.value)
  const { value } = self
  const stripped = (point: string) => (set ? set.has(point) : IS_SPACE.test(point))
  let start = 0
  let end = value.length
  while (left && start < end) {
    const point = String.fromCodePoint(value.codePointAt(start) as number)
    if (!stripped(point)) break
    start += point.length
  }
  while (right && end > start) {
    const pair = end - 2 >= start ? (value.codePointAt(end - 2) as number) : 0
    const point = pair > 0xffff ? String.fromCodePoint(pair) : (value[end - 1] as string)
    if (!stripped(point)) break
    end -= point.length
  }
  return self.slice(start, end)
}

export function lines(self: Text, keepEnds: boolean, budget: Budget): Text[] {
  const result: Text[] = []
  let at = 0
  for (const { 0: end, index } of self.value.matchAll(LINE_END)) {
    budget.steps(1)
    result.push(self.slice(at, keepEnds ? index + end.length : index))
    at = index + end.length
  }
  if (at < self.value.length) result.push(self.slice(at))
  return result
}

/** Splits at white space. */
function words(self: Text, most: number, fromRight: boolean, budget: Budget): Text[] {
  const found = Array.from(self.value.matchAll(WORDS), ({ 0: word, index }) => [index, index + word.length] as const)
  budget.steps(found.length)
  if (most >= 0 && found.length > most + 1) {
    if (fromRight) {
      const rest = found.length - most
      const head = self.slice(0, found[rest - 1]?.[1])
      return [head, ...found.slice(rest).map(([start, end]) => self.slice(start, end))]
    }
    const tail = self.slice(found[most]?.[0] as number)
    return [...found.slice(0, most).map(([start, end]) => self.slice(start, end)), tail]
  }
  return found.map(([start, end]) => self.slice(start, end))
}

export function split(self: Text, args: Arguments, fromRight: boolean, budget: Budget): List {
  const [by, limit] = bind(args, fromRight ? 'rsplit' : 'split', 'sep', 'maxsplit')
  const most = limit === undefined ? -1 : toIndex(limit, 'maxsplit')
  if (by === undefined || by === null) return new List(words(self, most, fromRight, budget))
  const separator = textArgument(by, 'split').value
  if (!separator) throw new TemplateError('empty separator')
  const cuts: number[] = []
  const { value } = self
  if (fromRight) {
    for (let found = value.length; cuts.length !== most; ) {
      found = found - separator.length < 0 ? -1 : value.lastIndexOf(separator, found - separator.length)
      if (found < 0) break
      budget.steps(1)
      cuts.unshift(found)
    }
  } else {
    for (let found = value.indexOf(separator); found >= 0 && cuts.length !== most; ) {
      budget.steps(1)
      cuts.push(found)
      found = value.indexOf(separator, found + separator.length)
    }
  }
  const starts = [0, ...cuts.map((cut) => cut + separator.length)]
  return new List(starts.map((start, i) => self.slice(start, cuts[i])))
}

export function partition(self: Text, args: Arguments, last: boolean): List {
  const separator = textArgument(bind(args, 'partition', 'sep')[0], 'partition')
  if (!separator.value) throw new TemplateError('empty separator')
  const found = last ? self.value.lastIndexOf(separator.value) : self.value.indexOf(separator.value)
  if (found < 0) return new List(last ? [EMPTY, EMPTY, self] : [self, EMPTY, EMPTY], true)
  const end = found + separator.value.length
  return new List([self.slice(0, found), self.slice(found, end), self.slice(end)], true)
}
