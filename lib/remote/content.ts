/** What chat models and those who ask them write: a text, or a list of parts. */

export interface Content {
  /** Of the parts that are reasoning. */
  thinking: string
  text: string
}

/** Parts are joined by line feeds. null: it is no text, or has parts that are none, as images are. */
export function readContent(content: unknown): Content | null {
  if (typeof content === 'string') return { thinking: '', text: content }
  if (!Array.isArray(content) || content.length === 0) return null
  const parts = content.map(readPart)
  if (!parts.every((part) => part !== null)) return null
  const joined = (kind: keyof Content) => {
    return parts
      .map((part) => part[kind])
      .filter(Boolean)
      .join('\n')
  }
  return { thinking: joined('thinking'), text: joined('text') }
}

function readPart(part: unknown): Content | null {
  if (typeof part === 'string') return { thinking: '', text: part }
  const { type = 'text', text, thinking, reasoning } = Object(part)
  if (/^(?:thinking|reasoning)/.test(type)) {
    const inner = readContent(thinking ?? reasoning ?? text)
    return inner && { thinking: inner.text, text: '' }
  }
  return typeof text === 'string' && /^(?:(?:in|out)put_)?text$/.test(type) ? { thinking: '', text } : null
}
