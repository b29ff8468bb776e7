/** The variable `loop`. */
import { bind } from './arguments.js'
import { type Budget, TemplateError } from './budget.js'
import type { Text } from './text.js'
import { Callable, equal, List, or, Undefined, type Value } from './values.js'

/**
 * @param depth Of recursive loops, from 0.
 * @param recurse What calling `loop(items)` prints; null: the loop is not recursive.
 */
export function loopObject(
  items: readonly Value[],
  depth: number,
  recurse: ((items: Value) => Text) | null,
  budget: Budget,
): { value: Value; moveTo(index: number): void } {
  let at = 0
  let last: Value | undefined
  const neighbor = (offset: number) => or(items[at + offset], () => new Undefined('there is no such item'))
  const attributes = new Map<string, () => Value>([
    ['index', () => at + 1],
    ['index0', () => at],
    ['revindex', () => items.length - at],
    ['revindex0', () => items.length - at - 1],
    ['first', () => at === 0],
    ['last', () => at === items.length - 1],
    ['length', () => items.length],
    ['depth', () => depth + 1],
    ['depth0', () => depth],
    ['previtem', () => neighbor(-1)],
    ['nextitem', () => neighbor(1)],
    [
      'cycle',
      () =>
        new Callable('cycle', ({ positional }) => {
          if (positional.length === 0) throw new TemplateError('no items for cycling given')
          return positional[at % positional.length] as Value
        }),
    ],
    [
      'changed',
      () =>
        new Callable('changed', ({ positional }) => {
          const value = new List(positional, true)
          const changed = last === undefined || !equal(last, value, budget)
          last = value
          return changed
        }),
    ],
  ])
  const value = new Callable(
    'loop',
    (args) => {
      if (!recurse) throw new TemplateError("The loop must have the 'recursive' marker to be called recursively.")
      return recurse(bind(args, 'loop', 'iterable')[0] ?? null)
    },
    attributes,
  )
  return {
    value,
    moveTo: (index) => {
      at = index
    },
  }
}
