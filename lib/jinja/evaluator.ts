/** The value of an expression. */
import { attribute, item, slice } from './attributes.js'
import { type Budget, TemplateError } from './budget.js'
import { FILTERS } from './filters.js'
import { percentFormat } from './formatting.js'
import type { CallArguments, Expression } from './nodes.js'
import { arithmetic, negate, toIndex } from './numbers.js'
import { joined, str } from './printing.js'
import type { Scope } from './scope.js'
import { contains, testNamed } from './tests.js'
import { escaped, Markup, Text } from './text.js'
import type { FilterTools } from './tools.js'
import {
  type Arguments,
  Callable,
  compare,
  Dict,
  equal,
  Float,
  isText,
  iterate,
  List,
  or,
  truth,
  typeName,
  Undefined,
  type Value,
} from './values.js'

export class Evaluator {
  readonly budget: Budget
  readonly tools: FilterTools

  constructor(budget: Budget) {
    this.budget = budget
    this.tools = {
      budget,
      filter: (name, value, args) => this.filter(name, value, args),
      test: (name, value, args) => this.test(name, value, args),
    }
  }

  /** @throws {TemplateError} with the line of the innermost expression that failed. */
  evaluate(node: Expression, scope: Scope): Value {
    this.budget.steps(1)
    return this.budget.nested(() => atLine(node.line, () => this.#evaluate(node, scope)))
  }

  #evaluate(node: Expression, scope: Scope): Value {
    const evaluated = (part: Expression) => this.evaluate(part, scope)
    switch (node.type) {
      case 'constant':
        return typeof node.value === 'string' ? new Text(node.value) : node.value
      case 'float':
        return new Float(node.value)
      case 'name':
        return or(scope.get(node.name), () => new Undefined(`'${node.name.slice(0, 60)}' is undefined`))
      case 'list':
        return new List(node.items.map(evaluated), node.tuple)
      case 'dict':
        return new Dict(node.entries.map(([key, value]) => [evaluated(key), evaluated(value)] as const))
      case 'not':
        return !truth(evaluated(node.operand))
      case 'unary':
        return negate(evaluated(node.operand), node.operator)
      case 'binary':
        return this.#binary(node.operator, evaluated(node.left), evaluated(node.right))
      case 'logical': {
        const left = evaluated(node.left)
        return truth(left) === (node.operator === 'and') ? evaluated(node.right) : left
      }
      case 'compare': {
        let left = evaluated(node.first)
        for (const { operator, operand } of node.rest) {
          const right = evaluated(operand)
          if (!this.#compare(operator, left, right)) return false
          left = right
        }
        return true
      }
      case 'concat':
        return joined(
          node.parts.map((part) => str(evaluated(part), this.budget)),
          this.budget,
        )
      case 'condition':
        if (truth(evaluated(node.test))) return evaluated(node.chosen)
        if (node.otherwise) return evaluated(node.otherwise)
        return new Undefined('the inline if-expression evaluated to false and no else section was defined.')
      case 'attribute':
        return attribute(evaluated(node.object), node.name, this.tools)
      case 'item':
        return item(evaluated(node.object), evaluated(node.key), this.tools)
      case 'slice': {
        const object = evaluated(node.object)
        return slice(
          object,
          node.bounds.map((bound) => (bound ? evaluated(bound) : null)),
          this.tools,
        )
      }
      case 'call':
        return this.call(evaluated(node.callee), this.arguments(node.args, scope))
      case 'filter':
        return this.filter(node.name, evaluated(node.operand as Expression), this.arguments(node.args, scope))
      case 'test':
        return this.test(node.name, evaluated(node.operand), this.arguments(node.args, scope))
    }
  }

  call(callee: Value, args: Arguments): Value {
    if (callee instanceof Callable) return callee.call(args)
    if (callee instanceof Undefined) callee.fail()
    throw new TemplateError(`'${typeName(callee)}' object is not callable`)
  }

  filter(name: string, value: Value, args: Arguments): Value {
    if (!Object.hasOwn(FILTERS, name)) throw new TemplateError(`No filter named '${name.slice(0, 40)}'.`)
    if (isText(value)) this.budget.scan(value.value.length)
    return (FILTERS[name] as (typeof FILTERS)[string])(value, args, this.tools)
  }

  test(name: string, value: Value, args: Arguments): boolean {
    if (isText(value)) this.budget.scan(value.value.length)
    return testNamed(name)(value, args, this.budget)
  }

  arguments({ positional, named }: CallArguments, scope: Scope): Arguments {
    const args: Arguments = { positional: [], named: new Map() }
    for (const { value, spread } of positional) {
      const argument = this.evaluate(value, scope)
      if (spread) args.positional.push(...iterate(argument, this.budget))
      else args.positional.push(argument)
    }
    for (const { name, value } of named) {
      const argument = this.evaluate(value, scope)
      if (name !== null) args.named.set(name, argument)
      else if (argument instanceof Dict) {
        for (const [key, entry] of argument.entries()) args.named.set(str(key, this.budget).value, entry)
      } else throw new TemplateError('argument after ** must be a mapping')
    }
    return args
  }

  #binary(operator: string, left: Value, right: Value): Value {
    const number = arithmetic(operator, left, right)
    if (number !== undefined) return number
    if (operator === '+' && isText(left) && isText(right)) return this.#sum([left, right])
    if (operator === '+' && left instanceof List && right instanceof List && left.tuple === right.tuple) {
      this.budget.steps(left.items.length + right.items.length)
      return new List([...left.items, ...right.items], left.tuple)
    }
    if (operator === '%' && isText(left)) return percentFormat(left, right, this.budget)
    if (operator === '*') {
      const repeated = this.#repeated(left, right) ?? this.#repeated(right, left)
      if (repeated !== undefined) return repeated
    }
    if (left instanceof Undefined) left.fail()
    if (right instanceof Undefined) right.fail()
    throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeName(left)}' and '${typeName(right)}'`)
  }

  #sum(texts: Text[]): Text {
    if (!texts.some((text) => text instanceof Markup)) return joined(texts, this.budget)
    const { value, inputs } = joined(texts.map(escaped), this.budget)
    return new Markup(value, inputs)
  }

  #repeated(sequence: Value, times: Value): Value | undefined {
    if ((typeof times !== 'number' && typeof times !== 'boolean') || !(isText(sequence) || sequence instanceof List)) {
      return undefined
    }
    const count = Math.max(0, toIndex(times, 'a count'))
    this.budget.steps(count)
    if (isText(sequence)) {
      this.budget.characters(count * sequence.value.length)
      return joined(
        Array.from({ length: count }, () => sequence),
        this.budget,
      )
    }
    this.budget.steps(count * sequence.items.length)
    return new List(Array.from({ length: count }, () => sequence.items).flat(), sequence.tuple)
  }

  #compare(operator: string, left: Value, right: Value): boolean {
    switch (operator) {
      case '==':
        return equal(left, right, this.budget)
      case '!=':
        return !equal(left, right, this.budget)
      case 'in':
        return contains(right, left, this.budget)
      case 'not in':
        return !contains(right, left, this.budget)
    }
    const order = compare(left, right, operator, this.budget)
    return operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0
  }
}

/** Gives a failure the line of the node where it happened. */
export function atLine<T>(line: number, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof TemplateError && error.line === undefined) throw new TemplateError(error.message, line)
    throw error
  }
}
