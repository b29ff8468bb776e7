/** Boxes in generated text: `\boxed{…}`, and several side by side. In time linear in the text. */
import { clean } from './values.js'

/** A value and the span of text that states it, from the box or phrase to the value's end. */
export interface Statement {
  value: string
  start: number
  end: number
}

interface Box extends Statement {
  braces: boolean
}

/** The last box, closed and not empty, joined with those right before it: `\boxed{3}, \boxed{5}` is `3, 5`. */
export function lastBox(text: string): Statement | null {
  const boxes = boxesOf(text)
  const last = boxes.at(-1)
  if (!last) return null
  let { start } = last
  const values = [last.value]
  for (let i = boxes.length - 2; i >= 0 && last.braces; i--) {
    const box = boxes[i] as Box
    if (!box.braces || box.end > start || start - box.end > LONGEST_GAP || !isGap(text.slice(box.end, start))) break
    values.push(box.value)
    start = box.start
  }
  return { value: values.reverse().join(', '), start, end: last.end }
}

const LONGEST_GAP = 60

/** Between boxes of one answer stand separators, perhaps with the name of the next value. A line that ends is none. */
function isGap(gap: string): boolean {
  const marks = gap
    .replace(/\\(?:text|mathrm)\s?\{([^{}]*)\}/g, '$1')
    .replace(/\\(?:q?quad|[,;:! ()[\]])|\$|\*\*/g, ' ')
    .trim()
  if (marks === '') return !gap.includes('\n')
  return /^(?:[,;&、，]|(?:for part \([a-z]\) )?(?:and|or))(?: ?(?:and|or))?(?: ?[A-Za-z](?:_\{?\w{1,3}\}?)? ?=)?$/.test(
    marks.replace(/\s+/g, ' '),
  )
}

/** In the order of their ends. Of nested boxes the inner one. */
function boxesOf(text: string): Box[] {
  const boxes: Box[] = []
  const open: number[] = []
  for (const match of text.matchAll(BOX_OR_BRACE)) {
    const [all, boxBrace, bare, brace] = match
    const start = match.index
    const end = start + all.length
    if (bare !== undefined) {
      const value = clean(bare)
      if (value) boxes.push({ value, start, end, braces: false })
    } else if (boxBrace || brace === '{') {
      open.push(boxBrace ? start : -1)
    } else if (brace === '}') {
      const box = open.pop() ?? -1
      if (box <= (boxes.at(-1)?.start ?? -1)) continue
      const value = text.slice(text.indexOf('{', box) + 1, start).trim()
      if (value) boxes.push({ value, start: box, end, braces: true })
    }
  }
  return boxes
}

/** A second backslash is that of a string literal. */
const BOX = String.raw`\\{1,2}(?:boxed|fbox)`
const CHARACTER = String.raw`(?!${BOX})[^\s{}$]`

/**
 * The beginning of a box; a whole one without braces (`\boxed 5`: a number, a letter or a command); an escaped brace,
 * which is a character of the value; or a brace.
 */
const BOX_OR_BRACE = new RegExp(
  String.raw`${BOX}\s*(?:(\{)|` +
    String.raw`((?=[-+(\\\d])${CHARACTER}(?:${CHARACTER}|\{(?:${CHARACTER})*\})*|[A-Za-z](?![^\s$.,;}])))` +
    String.raw`|\\[{}\\]|([{}])`,
  'g',
)
