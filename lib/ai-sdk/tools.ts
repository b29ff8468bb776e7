/** The tools of a call, as options of a request. */
import type { LanguageModelV3CallOptions, SharedV3Warning } from '@ai-sdk/provider'
import type { ReasonOptions } from '../reason/options.js'
import type { Tool } from '../reason/tools.js'

/** @param warnings Gets one for each tool that is not a function: nobody would run it. */
export function toolsOf(
  { tools = [], toolChoice }: Pick<LanguageModelV3CallOptions, 'tools' | 'toolChoice'>,
  warnings: SharedV3Warning[],
): ReasonOptions {
  const functions: Tool[] = []
  for (const tool of tools) {
    if (tool.type === 'function') {
      const { name, description, inputSchema } = tool
      functions.push({ name, description, parameters: inputSchema as Tool['parameters'] })
    } else warnings.push({ type: 'unsupported', feature: `tool ${tool.name}`, details: 'Only functions can be called' })
  }
  if (functions.length === 0) return {}
  if (toolChoice === undefined) return { tools: functions }
  return { tools: functions, toolChoice: toolChoice.type === 'tool' ? { name: toolChoice.toolName } : toolChoice.type }
}
