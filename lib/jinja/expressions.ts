/** The parser of expressions, with the precedence of jinja2. */
import type { CallArguments, Expression, Filter } from './nodes.js'
import type { TokenStream } from './tokens.js'

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>=']

/** One expression; `if` after it makes it conditional. */
export function parseExpression(tokens: TokenStream, conditional = true): Expression {
  return tokens.nested(() => {
    const { line } = tokens
    const expression = parseOr(tokens)
    if (!conditional || !tokens.is('name', 'if')) return expression
    // Chains stay flat while they are read, so that a long one does not nest.
    const branches = [expression]
    const tests: Expression[] = []
    let otherwise: Expression | null = null
    while (tokens.take('name', 'if')) {
      tests.push(parseOr(tokens))
      if (!tokens.take('name', 'else')) break
      otherwise = parseOr(tokens)
      if (tokens.is('name', 'if')) {
        branches.push(otherwise)
        otherwise = null
      }
    }
    return tests.reduceRight<Expression | null>(
      (rest, test, i) => ({ type: 'condition', test, chosen: branches[i] as Expression, otherwise: rest, line }),
      otherwise,
    ) as Expression
  })
}

/** An expression, or several with commas: a tuple. */
export function parseTuple(tokens: TokenStream, conditional = true): Expression {
  const { line } = tokens
  const items: Expression[] = []
  let comma = false
  while (!atTupleEnd(tokens)) {
    items.push(parseExpression(tokens, conditional))
    if (!tokens.take('operator', ',')) break
    comma = true
  }
  if (items.length === 0) tokens.fail('expected an expression')
  return comma ? { type: 'list', items, tuple: true, line } : (items[0] as Expression)
}

function atTupleEnd(tokens: TokenStream): boolean {
  return tokens.is('end') || tokens.is('operator', ')', ']', '=') || tokens.is('name', 'in', 'recursive')
}

function parseOr(tokens: TokenStream): Expression {
  return leftToRight(tokens, parseAnd, () => tokens.is('name', 'or'), logical)
}

function parseAnd(tokens: TokenStream): Expression {
  return leftToRight(tokens, parseNot, () => tokens.is('name', 'and'), logical)
}

function parseNot(tokens: TokenStream): Expression {
  const { line } = tokens
  if (!tokens.take('name', 'not')) return parseComparison(tokens)
  return { type: 'not', operand: tokens.nested(() => parseNot(tokens)), line }
}

function parseComparison(tokens: TokenStream): Expression {
  const { line } = tokens
  const first = parseSum(tokens)
  const rest: { operator: string; operand: Expression }[] = []
  for (;;) {
    let operator: string
    if (tokens.is('operator', ...COMPARISONS) || tokens.is('name', 'in')) operator = tokens.next().value
    else if (tokens.is('name', 'not') && tokens.ahead().type === 'name' && tokens.ahead().value === 'in') {
      tokens.next()
      tokens.next()
      operator = 'not in'
    } else break
    rest.push({ operator, operand: parseSum(tokens) })
  }
  return rest.length > 0 ? { type: 'compare', first, rest, line } : first
}

function parseSum(tokens: TokenStream): Expression {
  return leftToRight(tokens, parseConcat, () => tokens.is('operator', '+', '-'), binary)
}

function parseConcat(tokens: TokenStream): Expression {
  const { line } = tokens
  const parts = [parseProduct(tokens)]
  while (tokens.take('operator', '~')) parts.push(parseProduct(tokens))
  return parts.length > 1 ? { type: 'concat', parts, line } : (parts[0] as Expression)
}

function parseProduct(tokens: TokenStream): Expression {
  return leftToRight(tokens, parsePower, () => tokens.is('operator', '*', '/', '//', '%'), binary)
}

function parsePower(tokens: TokenStream): Expression {
  return leftToRight(tokens, parseUnary, () => tokens.is('operator', '**'), binary)
}

type Join = (operator: string, left: Expression, right: Expression, line: number) => Expression

const binary: Join = (operator, left, right, line) => ({ type: 'binary', operator, left, right, line })
const logical: Join = (operator, left, right, line) => {
  return { type: 'logical', operator: operator as 'and' | 'or', left, right, line }
}

/** `a + b + c`, without nesting while it is read; the tree that comes of it is as deep as the chain is long. */
function leftToRight(
  tokens: TokenStream,
  parse: (tokens: TokenStream) => Expression,
  more: () => boolean,
  join: Join,
): Expression {
  let left = parse(tokens)
  while (more()) {
    const { value, line } = tokens.next()
    left = join(value, left, parse(tokens), line)
  }
  return left
}

function parseUnary(tokens: TokenStream, filters = true): Expression {
  const { line } = tokens
  let expression: Expression
  if (tokens.is('operator', '-', '+')) {
    const operator = tokens.next().value as '-' | '+'
    expression = { type: 'unary', operator, operand: tokens.nested(() => parseUnary(tokens, false)), line }
  } else {
    expression = parsePrimary(tokens)
  }
  expression = parsePostfix(tokens, expression)
  return filters ? parseFilters(tokens, expression) : expression
}

function parsePrimary(tokens: TokenStream): Expression {
  const { line } = tokens
  const token = tokens.next()
  switch (token.type) {
    case 'name':
      return parseName(token.value, line)
    case 'integer': {
      const value = Number(token.value.replaceAll('_', ''))
      if (!Number.isSafeInteger(value)) tokens.fail(`the integer ${token.value.slice(0, 40)} is too large`, line)
      return { type: 'constant', value, line }
    }
    case 'float':
      return { type: 'float', value: Number(token.value.replaceAll('_', '')), line }
    case 'string': {
      const parts = [token.value]
      while (tokens.is('string')) parts.push(tokens.next().value)
      return { type: 'constant', value: parts.join(''), line }
    }
    case 'operator':
      if (token.value === '(') return parseParentheses(tokens, line)
      if (token.value === '[') {
        const items = tokens.items(']', () => parseExpression(tokens))
        return { type: 'list', items, tuple: false, line }
      }
      if (token.value === '{') {
        const entries = tokens.items('}', (): [Expression, Expression] => {
          const key = parseExpression(tokens)
          tokens.expect('operator', ':')
          return [key, parseExpression(tokens)]
        })
        return { type: 'dict', entries, line }
      }
  }
  return tokens.fail(`unexpected ${token.type === 'eof' ? 'end' : `'${token.value.slice(0, 40)}'`}`, line)
}

const CONSTANTS = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
])

function parseName(name: string, line: number): Expression {
  const value = CONSTANTS.get(name)
  return value === undefined ? { type: 'name', name, line } : { type: 'constant', value, line }
}

function parseParentheses(tokens: TokenStream, line: number): Expression {
  if (tokens.take('operator', ')')) return { type: 'list', items: [], tuple: true, line }
  const expression = parseTuple(tokens)
  tokens.expect('operator', ')')
  return expression
}

function parsePostfix(tokens: TokenStream, start: Expression): Expression {
  let object = start
  for (;;) {
    const { line } = tokens
    if (tokens.take('operator', '.')) {
      const token = tokens.next()
      if (token.type === 'name') object = { type: 'attribute', object, name: token.value, line }
      else if (token.type === 'integer') {
        object = { type: 'item', object, key: { type: 'constant', value: Number(token.value), line }, line }
      } else tokens.fail('expected name or number', line)
    } else if (tokens.take('operator', '[')) object = parseSubscript(tokens, object, line)
    else if (tokens.is('operator', '(')) object = { type: 'call', callee: object, args: parseArguments(tokens), line }
    else return object
  }
}

function parseSubscript(tokens: TokenStream, object: Expression, line: number): Expression {
  const bounds: (Expression | null)[] = []
  let colons = 0
  let bound: Expression | null = null
  while (!tokens.is('operator', ']')) {
    if (tokens.take('operator', ':')) {
      bounds.push(bound)
      bound = null
      colons++
    } else {
      if (bound) break
      bound = colons > 0 ? parseExpression(tokens) : parseTuple(tokens)
    }
  }
  tokens.expect('operator', ']')
  if (colons > 2) tokens.fail('a slice has at most two colons', line)
  if (colons > 0) {
    const [first = null, second = null, third = null] = [...bounds, bound]
    return { type: 'slice', object, bounds: [first, second, third], line }
  }
  if (!bound) tokens.fail('expected subscript expression', line)
  return { type: 'item', object, key: bound, line }
}

function parseArguments(tokens: TokenStream): CallArguments {
  tokens.expect('operator', '(')
  const args: CallArguments = { positional: [], named: [] }
  tokens.items(')', () => {
    if (tokens.take('operator', '*')) args.positional.push({ value: parseExpression(tokens), spread: true })
    else if (tokens.take('operator', '**')) args.named.push({ name: null, value: parseExpression(tokens) })
    else if (tokens.is('name') && tokens.ahead().type === 'operator' && tokens.ahead().value === '=') {
      const name = tokens.next().value
      tokens.next()
      args.named.push({ name, value: parseExpression(tokens) })
    } else {
      if (args.named.length > 0) tokens.fail('a positional argument follows a named one')
      args.positional.push({ value: parseExpression(tokens), spread: false })
    }
  })
  return args
}

function parseFilters(tokens: TokenStream, start: Expression): Expression {
  let expression = start
  for (;;) {
    if (tokens.is('operator', '|')) expression = parseFilter(tokens, expression) as Filter
    else if (tokens.is('name', 'is')) expression = parseTest(tokens, expression)
    else if (tokens.is('operator', '(')) {
      const { line } = tokens
      expression = { type: 'call', callee: expression, args: parseArguments(tokens), line }
    } else return expression
  }
}

/** `| name(args)`, once or several times; without operand what a block is filtered by. */
export function parseFilter(tokens: TokenStream, operand: Expression | null, inBlock = false): Filter | null {
  let filter = operand as Filter | null
  let first = inBlock
  while (first || tokens.is('operator', '|')) {
    if (!first) tokens.next()
    first = false
    const { line } = tokens
    const name = tokens.dottedName()
    const args = tokens.is('operator', '(') ? parseArguments(tokens) : noArguments()
    filter = { type: 'filter', name, operand: filter, args, line }
  }
  return filter
}

function parseTest(tokens: TokenStream, operand: Expression): Expression {
  const { line } = tokens
  tokens.expect('name', 'is')
  const negated = tokens.take('name', 'not')
  const name = tokens.dottedName()
  let args = noArguments()
  if (tokens.is('operator', '(')) args = parseArguments(tokens)
  else if (startsArgument(tokens)) {
    if (tokens.is('name', 'is')) tokens.fail('you cannot chain multiple tests with is')
    args.positional.push({ value: parsePostfix(tokens, parsePrimary(tokens)), spread: false })
  }
  const test: Expression = { type: 'test', name, operand, args, line }
  return negated ? { type: 'not', operand: test, line } : test
}

function startsArgument(tokens: TokenStream): boolean {
  if (tokens.is('name')) return !tokens.is('name', 'else', 'or', 'and')
  return tokens.is('string') || tokens.is('integer') || tokens.is('float') || tokens.is('operator', '[', '{')
}

function noArguments(): CallArguments {
  return { positional: [], named: [] }
}
