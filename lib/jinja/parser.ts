/** The parser of statements: from the source of a template to its tree. */
import { parseExpression, parseFilter, parseTuple } from './expressions.js'
import { tokenize } from './lexer.js'
import type { Expression, Filter, Parameters, Statement, Target } from './nodes.js'
import { TokenStream } from './tokens.js'

/** @throws {TemplateError} with the line that is wrong. */
export function parse(source: string): Statement[] {
  const tokens = new TokenStream(tokenize(source))
  const body = parseBody(tokens, [])
  if (!tokens.is('eof')) tokens.fail(`unexpected '${tokens.current.value}'`)
  return body
}

/** Statements up to a tag of one of these names, which is left with its name as the next token. */
function parseBody(tokens: TokenStream, ends: readonly string[]): Statement[] {
  const body: Statement[] = []
  for (;;) {
    const { line } = tokens
    if (tokens.is('data')) body.push({ type: 'data', text: tokens.next().value, line })
    else if (tokens.take('begin', '{{')) {
      body.push({ type: 'output', value: parseTuple(tokens), line })
      tokens.expect('end')
    } else if (tokens.take('begin', '{%')) {
      if (tokens.is('name', ...ends) && ends.length > 0) return body
      body.push(tokens.nested(() => parseStatement(tokens, ends)))
      tokens.expect('end')
    } else {
      if (ends.length > 0) tokens.fail(`unexpected end of template, expected '${ends.at(-1)}'`)
      return body
    }
  }
}

/** The body of a tag with an end tag, from the end of the one to the name of the other. */
function parseBlock(tokens: TokenStream, ...ends: string[]): Statement[] {
  tokens.expect('end')
  return parseBody(tokens, ends)
}

/** From a tag's name to before its end. */
function parseStatement(tokens: TokenStream, ends: readonly string[]): Statement {
  const { line } = tokens
  const name = tokens.expect('name').value
  const closed = <T>(body: T): T => {
    tokens.expect('name', `end${name}`)
    return body
  }
  switch (name) {
    case 'if':
      return parseIf(tokens, line)
    case 'for':
      return parseFor(tokens, line)
    case 'set':
      return parseSet(tokens, line)
    case 'macro': {
      const macro = tokens.expect('name').value
      const parameters = parseParameters(tokens)
      return { type: 'macro', name: macro, parameters, body: closed(parseBlock(tokens, 'endmacro')), line }
    }
    case 'call': {
      const parameters = tokens.is('operator', '(') ? parseParameters(tokens) : { names: [], defaults: [] }
      const call = parseExpression(tokens)
      if (call.type !== 'call') tokens.fail('expected call', line)
      return { type: 'callBlock', call, parameters, body: closed(parseBlock(tokens, 'endcall')), line }
    }
    case 'filter': {
      const filter = parseFilter(tokens, null, true) as Filter
      return { type: 'filterBlock', filter, body: closed(parseBlock(tokens, 'endfilter')), line }
    }
    case 'with':
      return parseWith(tokens, line)
    case 'block':
      tokens.expect('name')
      return { type: 'group', body: closed(parseBlock(tokens, 'endblock')), line }
    case 'generation':
      return { type: 'group', body: closed(parseBlock(tokens, 'endgeneration')), line }
    case 'autoescape': {
      const escaping = parseExpression(tokens)
      if (escaping.type !== 'constant' || escaping.value !== false) tokens.fail('autoescape is not supported', line)
      return { type: 'group', body: closed(parseBlock(tokens, 'endautoescape')), line }
    }
    case 'break':
    case 'continue':
      return { type: name, line }
  }
  const expected = ends.length > 0 ? `; '${ends.at(-1)}' is open` : ''
  return tokens.fail(`unknown tag '${name.slice(0, 40)}'${expected}`, line)
}

function parseIf(tokens: TokenStream, line: number): Statement {
  const branches: { test: Expression; body: Statement[] }[] = []
  let otherwise: Statement[] = []
  do {
    const test = parseTuple(tokens, false)
    branches.push({ test, body: parseBlock(tokens, 'elif', 'else', 'endif') })
  } while (tokens.take('name', 'elif'))
  if (tokens.take('name', 'else')) otherwise = parseBlock(tokens, 'endif')
  tokens.expect('name', 'endif')
  return { type: 'if', branches, otherwise, line }
}

function parseFor(tokens: TokenStream, line: number): Statement {
  const target = parseTarget(tokens)
  tokens.expect('name', 'in')
  const sequence = parseTuple(tokens, false)
  const test = tokens.take('name', 'if') ? parseExpression(tokens) : null
  const recursive = tokens.take('name', 'recursive')
  const body = parseBlock(tokens, 'else', 'endfor')
  const otherwise = tokens.take('name', 'else') ? parseBlock(tokens, 'endfor') : []
  tokens.expect('name', 'endfor')
  return { type: 'for', target, sequence, test, recursive, body, otherwise, line }
}

function parseSet(tokens: TokenStream, line: number): Statement {
  const target = parseTarget(tokens, true)
  if (tokens.take('operator', '=')) return { type: 'set', target, value: parseTuple(tokens), line }
  const filter = parseFilter(tokens, null)
  const body = parseBlock(tokens, 'endset')
  tokens.expect('name', 'endset')
  return { type: 'setBlock', target, filter, body, line }
}

function parseWith(tokens: TokenStream, line: number): Statement {
  const bindings: { target: Target; value: Expression }[] = []
  while (!tokens.is('end')) {
    if (bindings.length > 0) tokens.expect('operator', ',')
    const target = parseTarget(tokens, false, false)
    tokens.expect('operator', '=')
    bindings.push({ target, value: parseExpression(tokens) })
  }
  const body = parseBlock(tokens, 'endwith')
  tokens.expect('name', 'endwith')
  return { type: 'with', bindings, body, line }
}

/** What is assigned to: names with commas, in parentheses, or the attribute of a namespace. */
function parseTarget(tokens: TokenStream, attributes = false, tuples = true): Target {
  const items: Target[] = []
  let tuple = false
  while (tokens.is('name') || tokens.is('operator', '(')) {
    if (tokens.is('name', 'in')) break
    items.push(parseOneTarget(tokens, attributes))
    if (!tuples || !tokens.take('operator', ',')) break
    tuple = true
  }
  if (items.length === 0) tokens.fail('expected a name to assign to')
  return tuple ? { type: 'tuple', items } : (items[0] as Target)
}

function parseOneTarget(tokens: TokenStream, attributes: boolean): Target {
  if (tokens.take('operator', '(')) {
    const target = tokens.nested(() => parseTarget(tokens, attributes))
    tokens.expect('operator', ')')
    return target
  }
  const { value: name, line } = tokens.next()
  if (attributes && tokens.take('operator', '.')) {
    return { type: 'attribute', object: name, name: tokens.expect('name').value }
  }
  if (/^(true|false|none)$/i.test(name)) tokens.fail(`cannot assign to '${name}'`, line)
  return { type: 'name', name }
}

function parseParameters(tokens: TokenStream): Parameters {
  const parameters: Parameters = { names: [], defaults: [] }
  tokens.expect('operator', '(')
  while (!tokens.take('operator', ')')) {
    if (parameters.names.length > 0) tokens.expect('operator', ',')
    if (tokens.take('operator', ')')) break
    parameters.names.push(tokens.expect('name').value)
    if (tokens.take('operator', '=')) parameters.defaults.push(parseExpression(tokens))
    else if (parameters.defaults.length > 0) tokens.fail('a parameter without default follows one with default')
  }
  return parameters
}
