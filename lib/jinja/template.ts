/** A chat template, parsed once, and its rendering: statements, scopes and loops. */
import { Budget, type InputSize, TemplateError, tooDeep } from './budget.js'
import { atLine, Evaluator } from './evaluator.js'
import { globalFunctions } from './globals.js'
import { loopObject } from './loop.js'
import type { Expression, Filter, Parameters, Statement, Target } from './nodes.js'
import { parse } from './parser.js'
import { joined, str } from './printing.js'
import { Scope } from './scope.js'
import { Text } from './text.js'
import { type Arguments, Callable, Dict, iterate, List, Namespace, or, truth, Undefined, type Value } from './values.js'

/**
 * A template of Jinja as Hugging Face renders chat templates: jinja2's immutable sandbox with `trim_blocks`,
 * `lstrip_blocks`, loop controls and the tag `generation`.
 */
export class Template {
  readonly #body: Statement[]

  /** @throws {TemplateError} with the line that is wrong. */
  constructor(source: string) {
    this.#body = guarded(() => parse(source))
  }

  /**
   * @param input What the budget grows with.
   * @throws {TemplateError} when the template fails, raises, or takes more than the budget has.
   */
  render(variables: Iterable<readonly [string, Value]>, input: InputSize, now = new Date()): Text {
    return guarded(() => {
      const rendering = new Rendering(new Budget(input))
      return rendering.run(this.#body, variables, now)
    })
  }
}

/** The stack of JavaScript may end before the budget does, where the caller has used most of it. */
function guarded<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep()
    throw error
  }
}

/** How a block ended: a tag that leaves the loop around it, or nothing. */
type Ending = 'break' | 'continue' | undefined

class Rendering {
  readonly #evaluator: Evaluator
  readonly #budget: Budget

  constructor(budget: Budget) {
    this.#budget = budget
    this.#evaluator = new Evaluator(budget)
  }

  run(body: Statement[], variables: Iterable<readonly [string, Value]>, now: Date): Text {
    const globals = new Scope()
    for (const [name, value] of globalFunctions(this.#budget, now)) globals.set(name, value)
    const context = new Scope(globals)
    for (const [name, value] of variables) context.set(name, value)
    return this.#text(body, new Scope(context))
  }

  /** What a block prints. */
  #text(body: Statement[], scope: Scope): Text {
    const output: Text[] = []
    this.#block(body, scope, output)
    return joined(output, this.#budget)
  }

  #block(body: Statement[], scope: Scope, output: Text[]): Ending {
    return this.#budget.nested(() => {
      for (const statement of body) {
        this.#budget.steps(1)
        const ending = atLine(statement.line, () => this.#statement(statement, scope, output))
        if (ending) return ending
      }
      return undefined
    })
  }

  #statement(node: Statement, scope: Scope, output: Text[]): Ending {
    const evaluated = (expression: Expression) => this.#evaluator.evaluate(expression, scope)
    switch (node.type) {
      case 'data':
        output.push(new Text(node.text))
        return undefined
      case 'output':
        output.push(str(evaluated(node.value), this.#budget))
        return undefined
      case 'if': {
        const branch = node.branches.find(({ test }) => truth(evaluated(test)))
        return this.#block(branch ? branch.body : node.otherwise, scope, output)
      }
      case 'for':
        this.#loop(node, evaluated(node.sequence), scope, output, 0)
        return undefined
      case 'set':
        this.#assign(node.target, evaluated(node.value), scope)
        return undefined
      case 'setBlock': {
        const text = this.#text(node.body, new Scope(scope))
        this.#assign(node.target, node.filter ? this.#filtered(node.filter, text, scope) : text, scope)
        return undefined
      }
      case 'macro':
        scope.set(node.name, this.#macro(node.name, node.parameters, node.body, scope))
        return undefined
      case 'callBlock': {
        const call = node.call as Extract<Expression, { type: 'call' }>
        const args = this.#evaluator.arguments(call.args, scope)
        args.named.set('caller', this.#macro('caller', node.parameters, node.body, scope))
        output.push(str(this.#evaluator.call(evaluated(call.callee), args), this.#budget))
        return undefined
      }
      case 'filterBlock': {
        const text = this.#text(node.body, new Scope(scope))
        output.push(str(this.#filtered(node.filter, text, scope), this.#budget))
        return undefined
      }
      case 'with': {
        const inner = new Scope(scope)
        for (const { target, value } of node.bindings) this.#assign(target, evaluated(value), inner)
        return this.#block(node.body, inner, output)
      }
      case 'group':
        return this.#block(node.body, new Scope(scope), output)
      case 'break':
      case 'continue':
        return node.type
    }
  }

  #filtered(filter: Filter, text: Text, scope: Scope): Value {
    const operand = filter.operand ? this.#filtered(filter.operand as Filter, text, scope) : text
    return this.#evaluator.filter(filter.name, operand, this.#evaluator.arguments(filter.args, scope))
  }

  #assign(target: Target, value: Value, scope: Scope): void {
    if (target.type === 'name') scope.set(target.name, value)
    else if (target.type === 'attribute') {
      const object = scope.get(target.object)
      if (!(object instanceof Namespace)) throw new TemplateError('cannot assign attribute on non-namespace object')
      object.values.set(target.name, value)
    } else {
      const values = [...iterate(value, this.#budget)]
      if (values.length !== target.items.length) {
        throw new TemplateError(`expected ${target.items.length} values to unpack, got ${values.length}`)
      }
      for (const [i, item] of target.items.entries()) this.#assign(item, values[i] as Value, scope)
    }
  }

  #loop(node: Extract<Statement, { type: 'for' }>, sequence: Value, scope: Scope, output: Text[], depth: number): void {
    let items = [...iterate(sequence, this.#budget)]
    if (node.test) {
      const test = node.test
      items = items.filter((item) => {
        const inner = new Scope(scope)
        this.#assign(node.target, item, inner)
        return truth(this.#evaluator.evaluate(test, inner))
      })
    }
    const recurse = (nested: Value) => {
      const parts: Text[] = []
      this.#budget.nested(() => this.#loop(node, nested, scope, parts, depth + 1))
      return joined(parts, this.#budget)
    }
    const loop = loopObject(items, depth, node.recursive ? recurse : null, this.#budget)
    for (const [i, item] of items.entries()) {
      const inner = new Scope(scope)
      loop.moveTo(i)
      inner.set('loop', loop.value)
      this.#assign(node.target, item, inner)
      if (this.#block(node.body, inner, output) === 'break') break
    }
    if (items.length === 0) this.#block(node.otherwise, new Scope(scope), output)
  }

  #macro(name: string, { names, defaults }: Parameters, body: Statement[], scope: Scope): Callable {
    const call = ({ positional, named }: Arguments): Value => {
      const inner = new Scope(scope)
      const given = new Map(named)
      const first = names.length - defaults.length
      for (const [i, parameter] of names.entries()) {
        let value = i < positional.length ? positional[i] : given.get(parameter)
        if (i < positional.length && given.has(parameter)) {
          throw new TemplateError(`macro '${name}' got several values for '${parameter}'`)
        }
        given.delete(parameter)
        if (value === undefined && i >= first)
          value = this.#evaluator.evaluate(defaults[i - first] as Expression, inner)
        inner.set(
          parameter,
          or(value, () => new Undefined(`parameter '${parameter}' was not provided`)),
        )
      }
      inner.set('caller', given.get('caller') ?? new Undefined('No caller defined'))
      given.delete('caller')
      inner.set('varargs', new List(positional.slice(names.length), true))
      inner.set('kwargs', new Dict([...given].map(([key, value]) => [new Text(key), value])))
      return this.#text(body, inner)
    }
    const attributes = new Map<string, () => Value>([
      ['name', () => new Text(name)],
      [
        'arguments',
        () =>
          new List(
            names.map((parameter) => new Text(parameter)),
            true,
          ),
      ],
    ])
    return new Callable(name, call, attributes)
  }
}
