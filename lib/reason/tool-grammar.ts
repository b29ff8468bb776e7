/** Grammars of tool calls as JSON between tags, the form of Qwen's and Hermes' templates. */
import { jsonSchemaToGrammar } from '../grammar/schema-to-grammar.js'
import type { SchemaWarning } from '../grammar/warnings.js'
import { type AnswerGrammar, remembered } from './structured.js'
import { callsAllowed, callsForced, parametersOf, type ResolvedTools } from './tools.js'

export const CALL_TAGS = { open: '<tool_call>', close: '</tool_call>' } as const

/** What binds calls. */
export interface CallGrammars {
  /** Of all of the answer; null: it is free until a call begins. */
  answer: string | null
  /** Of what follows the first open tag. */
  call: string
  /** Of the answer's schema and the tools' `parameters`. */
  warnings: readonly SchemaWarning[]
}

/**
 * @param schema Of the answer, where it is no call.
 * @returns Null: nothing may be called.
 * @throws {Z1Error} SCHEMA_INVALID.
 */
export function callGrammars(calls: ResolvedTools, schema: AnswerGrammar | null): CallGrammars | null {
  if (!callsAllowed(calls)) return null
  const { choice, parallel } = calls
  const usable = typeof choice === 'object' ? calls.tools.filter(({ name }) => name === choice.name) : calls.tools
  const described = usable.map((tool) => ({ name: tool.name, parameters: parametersOf(tool) }))
  const { rules, warnings } = remembered(`tools ${parallel} ${JSON.stringify(described)}`, () => {
    return rulesOf(described, parallel)
  })
  const open = JSON.stringify(CALL_TAGS.open)
  const started = `root ::= ${open} calls\n${rules}`
  const call = `root ::= calls\n${rules}`
  if (callsForced(calls)) return { answer: started, call, warnings }
  if (!schema) return { answer: null, call, warnings }
  const either = `root ::= answer-root | ${open} calls\n${rules}${prefixed(schema.grammar, 'answer-')}`
  return { answer: either, call, warnings: [...schema.warnings, ...warnings] }
}

function rulesOf(tools: readonly { name: string; parameters: object }[], parallel: boolean) {
  const warnings: SchemaWarning[] = []
  const each = tools.map(({ name, parameters }, i) => {
    const { grammar, warnings: own } = jsonSchemaToGrammar(parameters, { form: 'canonical' })
    warnings.push(...own.map((one) => ({ ...one, path: `/tools/${name}/parameters${one.path}` })))
    const named = JSON.stringify(JSON.stringify(name))
    // As templates write it, so that the next turn continues what is in the KV cache.
    const head = `"{\\"name\\": " ${named} ", \\"arguments\\": "`
    return `call-${i} ::= ${head} tool-${i}-root "}"\n${prefixed(grammar, `tool-${i}-`)}`
  })
  const [open, close] = [JSON.stringify(CALL_TAGS.open), JSON.stringify(CALL_TAGS.close)]
  const one = `one-call ::= "\\n" (${tools.map((_, i) => `call-${i}`).join(' | ')}) "\\n" ${close}`
  const all = parallel ? `calls ::= one-call ("\\n" ${open} one-call)*` : 'calls ::= one-call'
  return { rules: `${all}\n${one}\n${each.join('')}`, warnings }
}

/** A grammar of ours with other names of its rules: several stand beside one another. */
function prefixed(grammar: string, prefix: string): string {
  const texts = /"(?:\\.|[^"\\])*"|\[(?:\\.|[^\]\\])*\]|[A-Za-z][A-Za-z0-9-]*/g
  return grammar.replace(texts, (found) => (/^["[]/.test(found) ? found : prefix + found))
}
