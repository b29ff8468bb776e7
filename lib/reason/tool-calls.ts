/** Reads tool calls from the text of a response, as it comes. The grammar of lib/reason/tool-grammar.ts is what it relies on. */
import type { ToolCall } from './tools.js'

/** What a text adds to a call. The first of a call adds nothing yet to its arguments. */
export interface ToolCallDelta {
  /** From 0 on, in the response. */
  index: number
  id: string
  name: string
  /** JSON. Those of a call together are its arguments. */
  arguments: string
}

/** Up to where the arguments begin. */
const HEAD =
  /^\s*\}?\s*(?:<\/tool_call>)?\s*<tool_call>\s*\{\s*"name":\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments":\s*(?=\S)/

/** Hexadecimal digits of an id. */
const ID_BYTES = 12

interface OpenCall extends Omit<ToolCallDelta, 'arguments'> {
  json: string
  depth: number
  inString: boolean
  escaped: boolean
}

export class ToolCallReader {
  readonly #whole: ToolCall[] = []
  #text = ''
  /** The call whose arguments are being read. */
  #open: OpenCall | undefined
  #count = 0

  /** Those whose arguments are whole. */
  get calls(): readonly ToolCall[] {
    return this.#whole
  }

  /** Adds to the text, which begins with the open tag. */
  push(text: string): ToolCallDelta[] {
    this.#text += text
    const deltas: ToolCallDelta[] = []
    for (;;) {
      if (!this.#open) {
        const head = HEAD.exec(this.#text)
        if (!head) return deltas
        this.#text = this.#text.slice(head[0].length)
        const call = { index: this.#count++, id: newId(), name: JSON.parse(head[1] as string) as string }
        this.#open = { ...call, json: '', depth: 0, inString: false, escaped: false }
        deltas.push({ ...call, arguments: '' })
      }
      const { index, id, name } = this.#open
      const part = this.#takeArguments()
      if (part !== '') deltas.push({ index, id, name, arguments: part })
      if (this.#open) return deltas
    }
  }

  /** What of the text belongs to the arguments. */
  #takeArguments(): string {
    const call = this.#open as OpenCall
    let end = 0
    let isWhole = false
    while (end < this.#text.length && !isWhole) {
      const character = this.#text[end++] as string
      if (call.escaped) call.escaped = false
      else if (call.inString) {
        if (character === '\\') call.escaped = true
        else if (character === '"') call.inString = false
      } else if (character === '"') call.inString = true
      else if (character === '{' || character === '[') call.depth++
      else if (character === '}' || character === ']') isWhole = --call.depth === 0
    }
    const part = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    call.json += part
    if (isWhole) {
      this.#whole.push({ id: call.id, name: call.name, arguments: JSON.parse(call.json) })
      this.#open = undefined
    }
    return part
  }
}

/** Not node:crypto: this runs in pages too. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES))
  return `call_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
