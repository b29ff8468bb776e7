/**
 * Models whose next token is looked up in a table by the last one: what they say, and how likely each token is, is known
 * before they run. They are Qwen2 models whose layers add nothing, so that a token's embedding, which is a column of its
 * own, alone chooses a column of the output matrix. Knows nothing of the library under test.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Metadata, readGguf, readTensor, type TensorSource, writeGguf } from './gguf.js'
import { type ModelOptions, testModel } from './models.js'

/** Logits of the next token by its text; of all others {@link TableOptions.rest}. A text alone: that one always follows. */
export type Row = string | Record<string, number>

export interface TableOptions
  extends Pick<ModelOptions, 'extraTokens' | 'template' | 'trainingContext' | 'thinkingWindow'> {
  /** What follows each token, by its text: one ASCII character, a control token, or one of `extraTokens`. */
  rows: Record<string, Row>
  /** The same by ids, for bytes that are no character. */
  byteRows?: Record<number, Record<number, number>>
  /** What follows the tokens without a row. Default: the end of generation. */
  otherwise?: Row
  /** Logit of the tokens that a row does not name. Default -40: they never follow. */
  rest?: number
  /** Those of `extraTokens` that are control tokens: their text is not shown. */
  controlTokens?: string[]
  /** Milliseconds of arithmetic instead of a tenth for each token, so that JavaScript comes in time to interfere. */
  slow?: boolean
  /** Keys beside those of a model that runs. */
  metadata?: Metadata
}

export const END = '<|im_end|>'
const control = ['<|endoftext|>', '<|im_start|>', END]

/** Ids of the tokens of a table model. A byte's id is the byte. */
export function tokenIds(extraTokens: readonly string[] = []): (text: string) => number {
  const special = [...control, ...extraTokens]
  return (text) => {
    const at = special.indexOf(text)
    if (at >= 0) return 256 + at
    if (!/^\p{ASCII}$/u.test(text)) throw new Error(`${JSON.stringify(text)} is no token`)
    return text.charCodeAt(0)
  }
}

/** Writes a table model into a folder, which gets the file's name and a folder for what it is made from. */
export function tableModel(folder: string, name: string, options: TableOptions): string {
  const {
    rows,
    byteRows = {},
    otherwise = END,
    rest = -40,
    controlTokens = [],
    slow = false,
    metadata: more = new Map(),
    ...base
  } = options
  const { extraTokens = [] } = base
  const idOf = tokenIds(extraTokens)
  const vocabularySize = 256 + control.length + extraTokens.length
  const heads = 4
  // llama.cpp rotates pairs of a head's values.
  const width = Math.ceil(vocabularySize / (heads * 2)) * heads * 2
  const shape = { layers: 1, width, heads, kvHeads: 1, feedForward: slow ? 16384 : 32 }
  mkdirSync(folder, { recursive: true })
  const template = testModel('qwen2-bytes', { ...base, shape }, { cache: join(folder, 'base') })

  const columns = new Map(Object.entries(rows).map(([after, row]) => [idOf(after), columnOf(row)]))
  for (const [after, row] of Object.entries(byteRows)) {
    columns.set(Number(after), new Map(Object.entries(row).map(([next, logit]) => [Number(next), logit])))
  }
  const fallback = columnOf(otherwise)
  function columnOf(row: Row): Map<number, number> {
    const entries = typeof row === 'string' ? [[row, 0] as const] : Object.entries(row)
    return new Map(entries.map(([text, logit]) => [idOf(text), logit]))
  }
  const logit = (after: number, next: number) => (columns.get(after) ?? fallback).get(next) ?? rest

  // The final norm divides a unit vector by the root of its mean square, 1/width, and llama.cpp's epsilon.
  const scale = Math.sqrt(1 / width + 1e-6)
  const computed: Record<string, (column: number, row: number) => number> = {
    'token_embd.weight': (column, row) => (column === row ? 1 : 0),
    'output.weight': (column, row) => (column < vocabularySize ? logit(column, row) * scale : 0),
    'blk.0.attn_output.weight': () => 0,
    'blk.0.ffn_down.weight': () => 0,
  }
  const { metadata, tensors } = readGguf(template)
  const types = metadata.get('tokenizer.ggml.token_type')?.value as number[]
  // llama.h: LLAMA_TOKEN_TYPE_CONTROL.
  for (const text of controlTokens) types[idOf(text)] = 3
  const path = join(folder, `${name}.gguf`)
  writeGguf(
    path,
    new Map([...metadata, ...more]),
    tensors.map((tensor): TensorSource => {
      const { name, shape, type } = tensor
      const value = computed[name]
      if (!value) {
        const values = readTensor(template, tensor)
        return { name, shape, type, fill: (part, start) => part.set(values.subarray(start, start + part.length)) }
      }
      const [columns] = shape as [number]
      const fill = (part: Float32Array, start: number) => {
        for (let i = 0; i < part.length; i++) {
          part[i] = value((start + i) % columns, Math.floor((start + i) / columns))
        }
      }
      return { name, shape, type, fill }
    }),
  )
  return path
}
