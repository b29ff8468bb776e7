/**
 * From messages to prompt text: the model's chat template, and the division of what it renders into text of the
 * template, where control tokens are recognized, and text of messages, where they are not. Knows nothing of tokens'
 * ids: what the segments become is the tokenizer's.
 */
import { randomBytes } from 'node:crypto'
import { Template } from '@huggingface/jinja'
import { Z1Error } from '../base/errors.js'
import type { ModelMetadata, TextSegment } from '../native/binding.js'
import type { ChatMessage } from './messages.js'
import { ensureOpenTag, stripOpenTag, type Tags } from './tags.js'

type SpecialTokens = ModelMetadata['specialTokens']

/** A model's chat template, parsed once. */
export class ChatTemplate {
  readonly #template: Template
  readonly #globals: Record<string, unknown>

  /** @throws {Z1Error} TEMPLATE_FAILED when the source is not a template. */
  constructor(source: string, { bosText, eosText }: Pick<ModelMetadata, 'bosText' | 'eosText'>) {
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
 * whatever it spells. Messages that spell no control token give one segment, which tokenizes as Hugging Face's does.
 *
 * The template renders twice, the second time with a marker for each content. If both renderings hold the same control
 * tokens, all of them are the template's. Otherwise the second one is cut at its markers, so that no text of a message
 * can get into a part where control tokens are recognized.
 * @param tags The model's think tags, or null: then the end of the prompt stays as it is.
 * @param mode `ban` takes the tags off the end of the prompt; `keep` makes it end inside them.
 * @throws {Z1Error} TEMPLATE_FAILED when the template fails, or does such things to a content that spells control
 * tokens that its place cannot be proven.
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

  const found = controlTexts(direct, specialTokens)
  const expected = controlTexts(marked, specialTokens)
  if (found.length === expected.length && found.every((text, i) => text === expected[i])) {
    // A message that is last in the prompt may itself end in a think tag: only what the template wrote after it
    // changes.
    const end = marked.slice(markers.spans(marked).at(-1)?.end)
    const text = direct.endsWith(end) ? direct.slice(0, direct.length - end.length) + finish(end) : finish(direct)
    return [{ text, parseSpecial: true, continuation: false }]
  }

  const parts = placedContents(template, messages, markers, marked, direct)
  if (!parts) {
    const text = found.find((candidate, i) => candidate !== expected[i]) ?? expected[found.length]
    throw new Z1Error(
      'TEMPLATE_FAILED',
      `The chat template alters message contents, so messages with control text cannot be placed safely; found ${text}`,
    )
  }
  const end = parts.pop() as Part
  return toSegments([...parts, { ...end, text: finish(end.text) }], specialTokens)
}

type Part = Pick<TextSegment, 'text' | 'parseSpecial'>

/** Where the content of a message stands in a rendering. */
interface Span {
  start: number
  end: number
  message: number
}

/** Stand-ins for the contents of one call: words that no content can hold, since 128 bits of them are random. */
class Markers {
  /** The messages with markers for contents. Blank ones stay: templates ask whether there is a content at all. */
  readonly messages: ChatMessage[]
  readonly #pattern: RegExp

  constructor(messages: readonly ChatMessage[]) {
    const word = `z${randomBytes(16).toString('hex')}n`
    this.#pattern = new RegExp(`${word}(\\d+)z`, 'g')
    this.messages = messages.map(({ role, content }, i) => ({
      role,
      content: content.trim() ? `${word}${i}z` : content,
    }))
  }

  spans(marked: string): Span[] {
    return Array.from(marked.matchAll(this.#pattern), ({ 0: marker, 1: message, index }) => ({
      start: index,
      end: index + marker.length,
      message: Number(message),
    }))
  }
}

/**
 * The rendering of markers with the contents in their places, as parts of which the last is the template's; proven by
 * giving the direct rendering. Null: there is no proof.
 */
function placedContents(
  template: ChatTemplate,
  messages: readonly ChatMessage[],
  markers: Markers,
  marked: string,
  direct: string,
): Part[] | null {
  const proven = (parts: Part[]) => parts.map((part) => part.text).join('') === direct
  const spans = markers.spans(marked)
  const verbatim = cut(marked, spans, ({ message }) => (messages[message] as ChatMessage).content)
  if (proven(verbatim)) return verbatim

  // The template trims contents, or takes them apart. What it makes of one shows when all others are markers: where
  // that rendering differs from the one of markers only. No content is searched for, so none can mislead the search.
  const traced: Span[] = []
  const texts: string[] = []
  for (const message of new Set(spans.map((span) => span.message))) {
    const own = spans.filter((span) => span.message === message)
    const before = marked.slice(0, own[0]?.start)
    const after = marked.slice(own.at(-1)?.end)
    const alone = template.render(markers.messages.with(message, messages[message] as ChatMessage))
    const start = commonStart(alone, before)
    const tail = commonEnd(alone.slice(start), after)
    texts[message] = alone.slice(start, alone.length - tail)
    traced.push({ start, end: marked.length - tail, message })
  }
  const altered = cut(marked, traced, ({ message }) => texts[message] as string)
  return proven(altered) ? altered : null
}

/** Parts of the template, and between them the texts for the spans. */
function cut(marked: string, spans: Span[], textOf: (span: Span) => string): Part[] {
  const parts: Part[] = []
  let at = 0
  for (const span of spans) {
    parts.push({ text: marked.slice(at, span.start), parseSpecial: true }, { text: textOf(span), parseSpecial: false })
    at = span.end
  }
  return [...parts, { text: marked.slice(at), parseSpecial: true }]
}

function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[length] === b[length]) length++
  return length
}

function commonEnd(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length++
  return length
}

/** Drops empty parts, and says of each other one whether it continues the text before it. */
function toSegments(parts: Part[], specialTokens: SpecialTokens): TextSegment[] {
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

/** The control tokens that the tokenizer would recognize in a text. User-defined tokens are recognized in any text. */
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
