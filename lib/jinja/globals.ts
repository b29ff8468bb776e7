/** The functions that every template can call: jinja2's, and the two that transformers adds. */
import { bind, textArgument } from './arguments.js'
import { type Budget, TemplateError } from './budget.js'
import { toIndex } from './numbers.js'
import { str } from './printing.js'
import { strftime } from './strftime.js'
import { EMPTY, Text } from './text.js'
import { type Arguments, Callable, Dict, iterate, List, Namespace, type Value } from './values.js'

/** jinja2's sandbox has the same limit. */
const MAX_RANGE = 100_000

export function globalFunctions(budget: Budget, now: Date): Map<string, Value> {
  const functions: Record<string, (args: Arguments) => Value> = {
    range: (args) => range(args, budget),
    dict: (args) => dict(args, budget),
    namespace: (args) => {
      const result = new Namespace()
      for (const [key, value] of dict(args, budget).entries()) result.values.set(str(key, budget).value, value)
      return result
    },
    cycler: ({ positional }) => cycler(positional),
    joiner: (args) => {
      const separator = bind(args, 'joiner', 'sep')[0] ?? new Text(', ')
      let used = false
      return new Callable('joiner', () => {
        if (used) return separator
        used = true
        return EMPTY
      })
    },
    raise_exception: (args) => {
      throw new TemplateError(str(bind(args, 'raise_exception', 'message')[0] ?? EMPTY, budget).value)
    },
    strftime_now: (args) => {
      return new Text(strftime(now, textArgument(bind(args, 'strftime_now', 'format')[0], 'strftime_now').value))
    },
  }
  return new Map(Object.entries(functions).map(([name, call]) => [name, new Callable(name, call)]))
}

function range(args: Arguments, budget: Budget): List {
  const [first, second, third] = bind(args, 'range', 'start', 'stop', 'step')
  const [start, stop] =
    second === undefined
      ? [0, toIndex(first ?? null, 'range')]
      : [toIndex(first ?? null, 'range'), toIndex(second, 'range')]
  const step = third === undefined ? 1 : toIndex(third, 'range')
  if (step === 0) throw new TemplateError('range() arg 3 must not be zero')
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (length > MAX_RANGE) throw new TemplateError(`a range has more than ${MAX_RANGE} elements`)
  budget.steps(length)
  const shown = `range(${start}, ${stop}${step === 1 ? '' : `, ${step}`})`
  return new List(
    Array.from({ length }, (_, i) => start + i * step),
    false,
    [],
    shown,
  )
}

function dict({ positional, named }: Arguments, budget: Budget): Dict {
  const result = new Dict()
  const [source] = positional
  if (source instanceof Dict) for (const [key, value] of source.entries()) result.set(key, value)
  else if (source !== undefined) {
    for (const pair of iterate(source, budget)) {
      const [key, value, ...more] = iterate(pair, budget)
      if (key === undefined || value === undefined || more.length > 0) throw new TemplateError('dict() expects pairs')
      result.set(key, value)
    }
  }
  for (const [key, value] of named) result.set(new Text(key), value)
  return result
}

function cycler(items: Value[]): Value {
  if (items.length === 0) throw new TemplateError('at least one item has to be provided')
  let at = 0
  const current = () => items[at] as Value
  const next = () => {
    const value = current()
    at = (at + 1) % items.length
    return value
  }
  const reset = () => {
    at = 0
    return null
  }
  const attributes = new Map<string, () => Value>([
    ['current', current],
    ['next', () => new Callable('next', next)],
    ['reset', () => new Callable('reset', reset)],
  ])
  return new Callable('cycler', next, attributes)
}
