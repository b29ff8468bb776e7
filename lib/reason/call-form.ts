/**
 * Whether a chat template writes tool calls in the form that is understood: JSON between `<tool_call>` tags. Templates are asked by
 * rendering a call; what their source spells says little (Qwen3-Coder and GLM have the same tags around other forms).
 */
import { Z1Error } from '../base/errors.js'
import type { ChatTemplate } from './template.js'
import { templateTools } from './tools.js'

const NAME = 'get_probe'

/** Null: it does; else why not, as the end of a sentence. */
export function callFormProblem(source: string, template: ChatTemplate): string | null {
  if (!source.includes('<tool_call>')) return 'it has no <tool_call> tags'
  let shown: string
  try {
    const tools = templateTools([{ name: NAME, description: 'probe-description' }])
    const call = { id: 'call_0', name: NAME, arguments: { key: 'value' } }
    const messages = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: '', toolCalls: [call] },
      { role: 'tool', content: 'probe-result', toolCallId: call.id },
    ]
    shown = template.render(messages, { tools }).value
  } catch (error) {
    if (!(error instanceof Z1Error)) throw error
    return `it refuses one: ${error.message}`
  }
  if (!shown.includes('probe-description')) return 'it does not show tools'
  if (!shown.includes('probe-result')) return 'it leaves out what a tool gave'
  const form =
    /<tool_call>\s*\{\s*"name":\s*"get_probe",\s*"arguments":\s*\{\s*"key":\s*"value"\s*\}\s*\}\s*<\/tool_call>/
  return form.test(shown)
    ? null
    : 'it writes calls in another form than {"name": …, "arguments": …} between <tool_call> tags'
}
