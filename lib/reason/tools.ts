/** Tools that a model may call: what callers pass, and its check. Knows nothing of models. */
import { boolean, isPlainObject, isString, type Kind, kind, misuse, oneOf, text } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { type Option, option, type Read } from '../base/options.js'
import type { JsonValue } from '../jinja/convert.js'
import { knownFields } from './messages.js'
import { answerSchema, type JsonSchema, plainSchema, type StandardJsonSchema } from './structured.js'

/** A function that the model may ask to be called. */
export interface Tool {
  /** 1 … 128 letters, digits, `_`, `-`, `.`, `:` and `/`; of one request, each once. */
  name: string
  /** When to call it, for the model. */
  description?: string | undefined
  /** JSON Schema of its arguments, which are an object, or a schema of a library as for `schema`. Default: it has none. */
  parameters?: JsonSchema | StandardJsonSchema | undefined
}

export type ToolChoice = 'auto' | 'none' | 'required' | { name: string }

/** A call that the model asks for. */
export interface ToolCall {
  /** Unique; the message with what the tool gave names it. */
  id: string
  name: string
  /** A value of the tool's `parameters`. */
  arguments: Record<string, unknown>
}

export interface ToolOptions {
  /**
   * Up to 128 tools that the model may call; the chat template shows it them. Calls are valid: the name is one of theirs and the arguments
   * are of its `parameters`. Needs a template with calls as JSON in `<tool_call>` tags. Default: none.
   */
  tools?: readonly Tool[] | undefined
  /**
   * `auto`: the model answers or calls; `none`: it may not call; `required`: it calls at least one; `{ name }`: it calls this one.
   * Default `auto`.
   */
  toolChoice?: ToolChoice | undefined
  /** Several calls in one response; false: at most one. Default true. */
  parallelToolCalls?: boolean | undefined
}

const MAX_TOOLS = 128

const toolName = kind('1 to 128 letters, digits, _, -, ., : and /', isString, {
  isValid: (name) => /^[\w.:/-]{1,128}$/.test(name),
})

function toolList(): Kind<Tool[]> {
  return kind('array of tools', Array.isArray, {
    convert: (values, list) => {
      if (values.length > MAX_TOOLS) throw misuse(RangeError, `at most ${MAX_TOOLS} tools`, list, values.length)
      const tools = Array.from(values, (value, i) => {
        const at = `${list}[${i}]`
        const fields = knownFields(value, at, ['name', 'description', 'parameters'])
        const [description, parameters] = [fields.get('description'), fields.get('parameters')]
        return {
          name: toolName.read(fields.get('name'), `${at}.name`),
          description: description === undefined ? undefined : text.read(description, `${at}.description`),
          parameters: parameters === undefined ? undefined : answerSchema().read(parameters, `${at}.parameters`),
        }
      })
      const names = tools.map(({ name }) => name)
      const again = names.find((name, i) => names.indexOf(name) < i)
      if (again !== undefined) throw misuse(RangeError, 'no name twice', list, again)
      return tools
    },
  })
}

const CHOICES = ['auto', 'none', 'required'] as const

function toolChoice(): Kind<ToolChoice> {
  const isObject = (value: unknown): value is object => isPlainObject(value)
  return kind("'auto', 'none', 'required' or { name }", (value) => isString(value) || isObject(value), {
    convert: (value, name) => {
      if (isString(value)) return oneOf(CHOICES).read(value, name)
      return { name: toolName.read(knownFields(value, name, ['name']).get('name'), `${name}.name`) }
    },
  })
}

export const TOOL_OPTIONS = {
  tools: option(toolList(), []),
  toolChoice: option(toolChoice(), 'auto'),
  parallelToolCalls: option(boolean, true),
} satisfies Record<keyof ToolOptions, Option<unknown>>

/** What may be called. */
export interface ResolvedTools {
  tools: readonly Tool[]
  choice: ToolChoice
  parallel: boolean
}

/** The tools, apart from the other options. @throws {TypeError|RangeError} for a choice that there is not. */
export function withoutTools<T extends Read<typeof TOOL_OPTIONS>>(
  values: T,
): { calls: ResolvedTools; rest: Omit<T, keyof ToolOptions> } {
  const { tools, toolChoice: choice, parallelToolCalls: parallel, ...rest } = values
  const isForced = choice !== 'auto' && choice !== 'none'
  if (isForced && tools.length === 0) throw new TypeError('Expected tools beside toolChoice')
  if (typeof choice === 'object' && !tools.some(({ name }) => name === choice.name)) {
    throw misuse(RangeError, 'the name of one of the tools', 'toolChoice', choice.name)
  }
  return { calls: { tools, choice, parallel }, rest }
}

/** Whether the model may call a tool, and whether it must. */
export function callsAllowed({ tools, choice }: ResolvedTools): boolean {
  return tools.length > 0 && choice !== 'none'
}

export function callsForced(calls: ResolvedTools): boolean {
  return callsAllowed(calls) && calls.choice !== 'auto'
}

/**
 * JSON Schema of a tool's arguments.
 * @throws {Z1Error} SCHEMA_INVALID.
 */
export function parametersOf({ name, parameters }: Tool): Record<string, unknown> {
  if (parameters === undefined || parameters === false) {
    return { type: 'object', properties: {}, additionalProperties: false }
  }
  const schema = plainSchema(parameters)
  if (schema === true) return { type: 'object' }
  const { type = 'object', ...rest } = schema as Record<string, unknown>
  if (![type].flat().includes('object')) {
    throw new Z1Error('SCHEMA_INVALID', `Arguments are an object: the parameters of the tool ${name} are none`)
  }
  return { type: 'object', ...rest }
}

/** Tools as chat templates take them: those of Hugging Face's apply_chat_template. */
export function templateTools(tools: readonly Tool[]): JsonValue {
  return tools.map((tool) => {
    const { name, description } = tool
    const parameters = JSON.parse(JSON.stringify(parametersOf(tool))) as JsonValue
    return { type: 'function', function: { name, ...(description === undefined ? {} : { description }), parameters } }
  })
}
