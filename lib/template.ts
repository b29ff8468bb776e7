/**
 * From messages to prompt text: the model's chat template, and the division of what it renders into text of the template,
 * where control tokens are recognised, and text of messages, where they are not.
 * Knows nothing of tokens' ids: what the segments become is the tokenizer's.
 */
import { randomBytes } from 'node:crypto'
import { Template } from '@huggingface/jinja'
import type { ModelFacts, TextSegment } from './binding.js'
import { Z1Error } from './errors.js'
import type { ChatMessage } from './options.js'
import { ensureOpenTag, stripOpenTag, type Tags } from './tags.js'

type SpecialTokens = ModelFacts['specialTokens']

/** A model's chat template, parsed once. */
export class ChatTemplate {
  readonly #template: Template
  readonly #globals: Record<string, unknown>

  /** @throws {Z1Error} TEMPLATE_FAILED when the source is not a template. */
  constructor(source: string, { bosText, eosText }: Pick<ModelFacts, 'bosText' | 'eosText'>) {
    this.#template = attempt(() => new Template(source))
    // The variables that Hugging Face's apply_chat_template passes; templates ask whether tools and documents are none.
    this.#globals = {
      add_generation_prompt: true,
      bos_token: bosText,
      eos_token: eosText,
      tools: null,
      documents: null,
    }
  }

  /**
   * The prompt for the next assistant message.
   * @throws {Z1Error} TEMPLATE_FAILED when the template refuses the messages.
   */
  render(messages: readonly ChatMessage[]): string {
    return attempt(() => this.#template.render({ ...this.#globals, messages }))
  }
}

function attempt<T>(action: () => T): T {
  try {
    return action()
  } catch (cause) {
    throw new Z1Error('TEMPLATE_FAILED', `The chat template failed: ${(cause as Error).message}`, { cause })
  }
}

/**
 * The messages as text segments in which only the template writes control tokens: what stands in a message is text,
 * whatever it spells. Messages that spell no control token give one segment, which tokenises as Hugging Face's does.
 *
 * The template renders twice, the second time with a marker for each content. If both renderings hold the same control
 * tokens, all of them are the template's. Otherwise the second one is cut at its markers, so that no text of a message
 * can get into a part where control tokens are recognised.
 * @param tags The model's think tags, or null: then the end of the prompt stays as it is.
 * @param mode `ban` takes the tags off the end of the prompt; `keep` makes it end inside them.
 * @throws {Z1Error} TEMPLATE_FAILED when the template fails, or does such things to a content that spells control tokens
 * that its place cannot be proven.
 */
export function segmentPrompt(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  specialTokens: SpecialTokens,
  tags: Tags | null,
  mode: 'ban' | 'keep',
): TextSegment[] {
  const finish = (end: string) => (!tags ? end : mode === 'ban' ? stripOpenTag(end, tags) : ensureOpenTag(end, tags))
  const markers = new Markers(messages)
  const direct = template.render(messages)
  const marked = template.render(markers.messages)
  const parts = markers.split(marked)
  const end = (parts.at(-1) as Part).text

  const found = controlTexts(direct, specialTokens)
  const expected = controlTexts(marked, specialTokens)
  if (found.length === expected.length && found.every((text, i) => text === expected[i])) {
    // A message that is last in the prompt may itself end in a think tag: only what the template wrote after it changes.
    const text = direct.endsWith(end) ? direct.slice(0, direct.length - end.length) + finish(end) : finish(direct)
    return [{ text, parseSpecial: true, continuation: false }]
  }

  const contents = placedContents(template, messages, markers, marked, direct)
  if (!contents) {
    const text = found.find((candidate, i) => candidate !== expected[i]) ?? expected[found.length]
    throw new Z1Error(
      'TEMPLATE_FAILED',
      `The chat template alters message contents, so messages with control text cannot be placed safely; found ${text}`,
    )
  }
  const last = parts.length - 1
  return toSegments(
    parts.map((part, i) =>
      part.message === null
        ? { text: i === last ? finish(part.text) : part.text, parseSpecial: true }
        : { text: contents[part.message] as string, parseSpecial: false },
    ),
    specialTokens,
  )
}

/** A rendering's parts in turn: of the template (message null), or of the message with that index. */
interface Part {
  text: string
  message: number | null
}

/** Stand-ins for the contents of one call: words that no content can hold, since 128 bits of them are random. */
class Markers {
  /** The messages with markers for contents. Blank ones stay: templates ask whether there is a content at all. */
  readonly messages: ChatMessage[]
  readonly #word = `z${randomBytes(16).toString('hex')}n`
  readonly #pattern = new RegExp(`${this.#word}(\\d+)z`)

  constructor(messages: readonly ChatMessage[]) {
    this.messages = messages.map(({ role, content }, i) => ({ role, content: content.trim() ? this.of(i) : content }))
  }

  of(message: number): string {
    return `${this.#word}${message}z`
  }

  /** Begins and ends with a part of the template, be it empty. */
  split(marked: string): Part[] {
    return marked
      .split(this.#pattern)
      .map((text, i) => (i % 2 === 0 ? { text, message: null } : { text: '', message: Number(text) }))
  }

  fill(marked: string, contents: readonly string[]): string {
    return this.split(marked)
      .map(({ text, message }) => (message === null ? text : contents[message]))
      .join('')
  }
}

/**
 * What the template made of each content, proven by giving the direct rendering when put in the places of the markers.
 * Null: there is no proof.
 */
function placedContents(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  markers: Markers,
  marked: string,
  direct: string,
): string[] | null {
  const contents = messages.map((message) => message.content)
  if (markers.fill(marked, contents) === direct) return contents

  // The template trims or cuts contents. What it makes of one shows when all others are markers: the text that is not
  // in the rendering of markers only. No content is searched for, so none can mislead the search.
  const altered = messages.map((message, i) => {
    const around = marked.split(markers.of(i))
    if (around.length === 1) return ''
    const alone = template.render(markers.messages.with(i, message))
    const length = (alone.length - around.join('').length) / (around.length - 1)
    const start = (around[0] as string).length
    return alone.slice(start, start + length)
  })
  return markers.fill(marked, altered) === direct ? altered : null
}

/** Drops empty parts, and says of each other one whether it continues the text before it. */
function toSegments(parts: Pick<TextSegment, 'text' | 'parseSpecial'>[], specialTokens: SpecialTokens): TextSegment[] {
  const segments: TextSegment[] = []
  for (const part of parts) {
    if (!part.text) continue
    const before = segments.at(-1)
    // Vocabularies that begin a text with a space do so again after every special token (llama-vocab.cpp, tokenize).
    const afterToken = specialTokens.some(
      ({ text, control }) => text && before?.text.endsWith(text) && (before.parseSpecial || !control),
    )
    segments.push({ ...part, continuation: before !== undefined && !afterToken })
  }
  return segments
}

/** The control tokens that the tokenizer would recognise in a text. User-defined tokens are recognised in any text. */
function controlTexts(text: string, specialTokens: SpecialTokens): string[] {
  let pattern = patterns.get(specialTokens)
  if (!pattern) {
    pattern = controlPattern(specialTokens)
    patterns.set(specialTokens, pattern)
  }
  return text.match(pattern) ?? []
}

/** One pattern per model: compiling it takes longer than using it. */
const patterns = new WeakMap<SpecialTokens, RegExp>()

function controlPattern(specialTokens: SpecialTokens): RegExp {
  const texts = specialTokens.filter((token) => token.control && token.text).map((token) => token.text)
  // As the tokenizer does, the longest first. An empty alternation would match everywhere; (?!) matches nowhere.
  const alternatives = texts
    .sort((a, b) => b.length - a.length)
    .map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(alternatives.join('|') || '(?!)', 'g')
}
