/**
 * Texts that know which of their characters come from a message. All operations on texts are built from slices and
 * concatenations, so the origin of a character survives whatever a template does to it.
 */

/** From the first to behind the last UTF-16 unit. */
export type Range = readonly [start: number, end: number]

const NONE: readonly Range[] = []

/** A Python str. */
export class Text {
  /** Where its characters come from the input; sorted, disjoint, none empty or touching. */
  readonly inputs: readonly Range[]

  constructor(
    readonly value: string,
    inputs: readonly Range[] = NONE,
  ) {
    this.inputs = inputs
  }

  static input(value: string): Text {
    return new Text(value, value ? [[0, value.length]] : NONE)
  }

  /** A text made from this one as a whole: of the input if any of this one is. */
  derived(value: string): Text {
    return this.inputs.length > 0 ? Text.input(value) : new Text(value)
  }

  slice(start: number, end = this.value.length): Text {
    if (start === 0 && end === this.value.length) return this
    const value = this.value.slice(start, end)
    if (this.inputs.length === 0) return new Text(value)
    const inputs: Range[] = []
    for (const [from, to] of this.inputs) {
      const clipped: Range = [Math.max(from, start) - start, Math.min(to, end) - start]
      if (clipped[0] < clipped[1]) inputs.push(clipped)
    }
    return new Text(value, inputs)
  }

  /** Each part by itself: what is of the input stays so, also where the length changes. */
  mapParts(change: (part: string) => string): Text {
    return concat(this.parts().map(({ text, input }) => (input ? Text.input(change(text)) : new Text(change(text)))))
  }

  /** The text in pieces of one origin. */
  parts(): { text: string; input: boolean }[] {
    const parts: { text: string; input: boolean }[] = []
    let at = 0
    for (const [start, end] of this.inputs) {
      if (at < start) parts.push({ text: this.value.slice(at, start), input: false })
      parts.push({ text: this.value.slice(start, end), input: true })
      at = end
    }
    if (at < this.value.length) parts.push({ text: this.value.slice(at), input: false })
    return parts
  }
}

/** What `safe` and `escape` give: texts that are joined with it are escaped first. */
export class Markup extends Text {}

const ESCAPED: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&#34;', "'": '&#39;' }

export function escaped(text: Text): Markup {
  if (text instanceof Markup) return text
  const { value, inputs } = text.mapParts((part) => part.replace(/[&<>"']/g, (found) => ESCAPED[found] as string))
  return new Markup(value, inputs)
}

export const EMPTY = new Text('')

export function concat(texts: readonly Text[]): Text {
  if (texts.length === 1) return texts[0] as Text
  const inputs: Range[] = []
  let length = 0
  for (const text of texts) {
    for (const [start, end] of text.inputs) {
      const last = inputs.at(-1)
      if (last && last[1] === start + length) inputs[inputs.length - 1] = [last[0], end + length]
      else inputs.push([start + length, end + length])
    }
    length += text.value.length
  }
  return new Text(texts.map((text) => text.value).join(''), inputs.length > 0 ? inputs : NONE)
}

/** Python counts code points where JavaScript counts UTF-16 units; they differ only where surrogates are. */
export function codePoints({ value }: Text): number {
  if (!SURROGATE.test(value)) return value.length
  let count = 0
  for (const _ of value) count++
  return count
}

/** The UTF-16 offset of each code point and of the end, or null where they are the same as Python's indices. */
export function offsets(text: Text): number[] | null {
  let starts = known.get(text)
  if (starts === undefined) {
    starts = SURROGATE.test(text.value) ? findOffsets(text.value) : null
    known.set(text, starts)
  }
  return starts
}

/** A loop over the characters of a text asks for them once for each. */
const known = new WeakMap<Text, number[] | null>()

function findOffsets(value: string): number[] {
  const starts: number[] = []
  let at = 0
  for (const point of value) {
    starts.push(at)
    at += point.length
  }
  starts.push(at)
  return starts
}

/** `text[:count]`, for a count ≥ 0. */
export function firstPoints(text: Text, count: number): Text {
  const starts = offsets(text)
  const end = starts ? starts[Math.min(count, starts.length - 1)] : Math.min(count, text.value.length)
  return text.slice(0, end)
}

/** Python's index of a UTF-16 offset. */
export function pointIndex(text: Text, offset: number): number {
  return codePoints(text.slice(0, offset))
}

export function characters(text: Text): Text[] {
  const result: Text[] = []
  let at = 0
  for (const point of text.value) {
    result.push(text.slice(at, at + point.length))
    at += point.length
  }
  return result
}

const SURROGATE = /[\ud800-\udfff]/

/** The order of Python's strings: by code points, which UTF-16 units do not keep. */
export function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const surrogates = [x, y].map((unit) => unit >= 0xd800 && unit <= 0xdfff)
    if (surrogates[0] !== surrogates[1]) return surrogates[0] ? 1 : -1
    return x - y
  }
  return a.length - b.length
}
