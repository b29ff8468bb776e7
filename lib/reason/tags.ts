/**
 * Think tags: which ones a model has, and how a generation prompt stands before or inside them.
 * Knows strings only; what is banned while generating is native/engine/tag-ban's.
 */

export interface Tags {
  open: string
  close: string
  /**
   * What a generation prompt ends with to begin the thinking: the open tag, and the newline its model expects after it.
   */
  opening: string
}

type Pair = readonly [open: string, close: string]

/**
 * Open and close tags in use, the common ones first: the union of what llama.cpp v0.5.0 knows (common/chat.cpp,
 * common/parsers, models/templates), node-llama-cpp's chat wrappers, and Kimi-VL's. gpt-oss is not among them:
 * its thinking is a channel of the message format, so banning it would ban the format (lib/reason/prompt.ts).
 */
export const KNOWN_TAGS: readonly Pair[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<thought>', '</thought>'],
  ['<reasoning>', '</reasoning>'],
  ['[THINK]', '[/THINK]'],
  ['◁think▷', '◁/think▷'],
  ['<seed:think>', '</seed:think>'],
  ['<mm:think>', '</mm:think>'],
  ['<|START_THINKING|>', '<|END_THINKING|>'],
  ['<|begin_of_thought|>', '<|end_of_thought|>'],
  ['<|inner_prefix|>', '<|inner_suffix|>'],
  ['<|open|>think<|sep|>', '<|close|>think<|sep|>'],
  ['<|channel>thought', '<channel|>'],
]

/**
 * The think tags that the template writes or reads, else those that are tokens of the vocabulary; null: there are none.
 */
export function findTags(template: string | null, specialTokens: readonly { text: string }[]): Tags | null {
  const source = template ?? ''
  const texts = new Set(specialTokens.map((token) => token.text))
  const pair = templateTags(source) ?? KNOWN_TAGS.find(([open, close]) => texts.has(open) && texts.has(close))
  if (!pair) return null
  const [open, close] = pair
  // In a template's string literal the newline is an escape.
  const newline = source.includes(open)
    ? source.includes(`${open}\\n`) || source.includes(`${open}\n`)
    : open === '<think>'
  return { open, close, opening: newline ? `${open}\n` : open }
}

/** The think tags that a template writes or reads: its model was made to think. */
export function templateTags(template: string): Pair | undefined {
  return KNOWN_TAGS.find(([open, close]) => template.includes(open) || template.includes(close))
}

/**
 * The think tags that a template wrote into a prompt, whatever its source spells: a macro may build them, or a variant such
 * as `<think:x>`.
 * @param parts What the template wrote; no text of messages.
 */
export function writtenTags(parts: readonly string[]): Pair | undefined {
  const known = KNOWN_TAGS.find((pair) => parts.some((part) => pair.some((tag) => part.includes(tag))))
  if (known) return known
  for (const part of parts) {
    const name = /<\/?(think[\w:.-]{1,40})>/.exec(part)?.[1]
    if (name) return [`<${name}>`, `</${name}>`]
  }
  return undefined
}

/** Tags with what their model expects after the open one. */
export function tagsOf([open, close]: Pair): Tags {
  return { open, close, opening: open === '<think>' ? `${open}\n` : open }
}

/**
 * The generation prompt without the open tag, the empty block or the lone close tag at its end, and without the white
 * space in and after it. What stands before is untouched, and so is a block that holds text.
 */
export function stripOpenTag(prompt: string, { open, close }: Tags): string {
  let stripped = prompt
  let rest = prompt.trimEnd()
  if (rest.endsWith(close)) {
    stripped = rest.slice(0, -close.length)
    rest = stripped.trimEnd()
    if (!rest.endsWith(open) && isInside(rest, { open, close })) return prompt
  }
  return rest.endsWith(open) ? rest.slice(0, -open.length) : stripped
}

/** The generation prompt ending inside an open tag. */
export function ensureOpenTag(prompt: string, tags: Tags): string {
  return isInside(prompt, tags) ? prompt : stripOpenTag(prompt, tags) + tags.opening
}

function isInside(prompt: string, { open, close }: Pick<Tags, 'open' | 'close'>): boolean {
  return prompt.lastIndexOf(open) > prompt.lastIndexOf(close)
}
