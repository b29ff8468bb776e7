/**
 * Tools as the clients of each protocol send them, as options of a request. What the tools and their choice may be, the reasoner says;
 * here it is only found. Tools that a provider runs itself (searches, code) are refused: nobody would run them.
 */
import { fieldsOf } from '../base/checks.js'
import type { ReasonOptions } from '../reason/options.js'
import type { ToolCallDelta } from '../reason/tool-calls.js'
import type { Tool, ToolCall, ToolChoice } from '../reason/tools.js'
import { RequestError } from './error.js'

type Tools = Pick<ReasonOptions, 'tools' | 'toolChoice' | 'parallelToolCalls'>
type Fields = ReadonlyMap<string, unknown>

/** `tools`, `tool_choice` and `parallel_tool_calls` of chat completions. @throws {RequestError} */
export function chatTools(body: Fields): Tools {
  return toolsOf(body, (tool, at) => {
    onlyFunctions(tool, at)
    return fieldsAt(tool.get('function'), `${at}.function`)
  })
}

/** The same of responses, where a function stands in the tool itself. @throws {RequestError} */
export function responsesTools(body: Fields): Tools {
  return toolsOf(body, (tool, at) => {
    onlyFunctions(tool, at)
    return tool
  })
}

function toolsOf(body: Fields, functionOf: (tool: Fields, at: string) => Fields): Tools {
  const tools = list(body.get('tools'), 'tools').map((tool, i) => {
    const at = `tools[${i}]`
    return toolFrom(functionOf(fieldsAt(tool, at), at), 'parameters')
  })
  const parallel = body.get('parallel_tool_calls') ?? undefined
  const choice = body.get('tool_choice') ?? undefined
  return {
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice === undefined ? {} : { toolChoice: choiceOf(choice, functionOf) }),
    ...(parallel === undefined ? {} : { parallelToolCalls: parallel as boolean }),
  }
}

function choiceOf(choice: unknown, functionOf: (tool: Fields, at: string) => Fields): ToolChoice {
  // Which words there are, the reasoner says.
  if (typeof choice === 'string') return choice as ToolChoice
  return { name: functionOf(fieldsAt(choice, 'tool_choice'), 'tool_choice').get('name') as string }
}

const ANTHROPIC_CHOICES: Record<string, ToolChoice> = { auto: 'auto', any: 'required', none: 'none' }

/** `tools` and `tool_choice` of messages. @throws {RequestError} */
export function messagesTools(body: Fields): Tools {
  const tools = list(body.get('tools'), 'tools').map((tool, i) => {
    const fields = fieldsAt(tool, `tools[${i}]`)
    const type = fields.get('type') ?? 'custom'
    if (type !== 'custom') throw unsupported(`tools[${i}] of the type ${JSON.stringify(type)}`)
    return toolFrom(fields, 'input_schema')
  })
  const result: Tools = tools.length > 0 ? { tools } : {}
  const given = body.get('tool_choice') ?? undefined
  if (given === undefined) return result
  const choice = fieldsAt(given, 'tool_choice')
  const type = choice.get('type')
  const isKnown = typeof type === 'string' && Object.hasOwn(ANTHROPIC_CHOICES, type)
  if (type === 'tool') result.toolChoice = { name: choice.get('name') as string }
  else if (isKnown) result.toolChoice = ANTHROPIC_CHOICES[type]
  else throw new RequestError('Expected auto, any, tool or none for tool_choice.type', 'tool_choice')
  if (choice.get('disable_parallel_tool_use') === true) result.parallelToolCalls = false
  return result
}

/** `tool_calls` of a message. */
export function chatCalls(calls: readonly ToolCall[]) {
  return calls.map(({ id, name, arguments: given }) => {
    return { id, type: 'function' as const, function: { name, arguments: JSON.stringify(given) } }
  })
}

/** `tool_calls` of a delta. */
export function chatCallDelta({ index, id, name, arguments: text }: ToolCallDelta) {
  if (text === '') return { index, id, type: 'function' as const, function: { name, arguments: '' } }
  return { index, function: { arguments: text } }
}

function toolFrom(fields: Fields, parameters: string): Tool {
  return {
    name: fields.get('name') as string,
    description: (fields.get('description') ?? undefined) as string | undefined,
    parameters: (fields.get(parameters) ?? undefined) as Tool['parameters'],
  }
}

function onlyFunctions(tool: Fields, at: string): void {
  const type = tool.get('type')
  if (type !== 'function') throw unsupported(`${at} of the type ${JSON.stringify(type) ?? 'undefined'}`)
}

function unsupported(what: string): RequestError {
  return new RequestError(`${what} is not supported: tools are functions`, what.replace(/[[. ].*/, ''))
}

function list(value: unknown, name: string): unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw new RequestError(`Expected an array for ${name}`, name)
}

function fieldsAt(value: unknown, name: string): Fields {
  try {
    return fieldsOf(value, name)
  } catch {
    throw new RequestError(`Expected an object for ${name}`, name.replace(/[[.].*/, ''))
  }
}
