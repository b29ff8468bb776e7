/**
 * llama.cpp's own tokenizer, asked by test/native/reference.cpp: the oracle for prompts, hints and the bytes of tokens.
 * Knows its line protocol only.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../out/build-test/bin/reference', import.meta.url))

export interface TextCase {
  text: string
  /** Add BOS, where the vocabulary says so. */
  begin?: boolean
  /** Recognize control tokens in the text. */
  special?: boolean
}

/** Token ids of each text. */
export function tokensOf(engine: string, model: string, cases: TextCase[]): number[][] {
  const lines = cases.map(({ text, begin = false, special = false }) => {
    return `t ${Number(begin)} ${Number(special)} ${Buffer.from(text).toString('hex') || '-'}`
  })
  return ask(engine, model, lines).map((line) => line.split(' ').filter(Boolean).slice(1).map(Number))
}

/** The bytes of each list of tokens; control tokens have none. */
export function bytesOf(engine: string, model: string, lists: number[][]): Buffer[] {
  const lines = lists.map((tokens) => ['d', 0, ...tokens].join(' '))
  return ask(engine, model, lines).map((line) => Buffer.from(line === '-' ? '' : line, 'hex'))
}

function ask(engine: string, model: string, lines: string[]): string[] {
  const { status, stdout, stderr } = spawnSync(program, ['tokenize', engine, model], {
    input: lines.map((line) => `${line}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`reference tokenize failed (npm test builds it): ${stderr}`)
  const answers = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim())
  if (answers.length !== lines.length) throw new Error(`reference gave ${answers.length} lines for ${lines.length}`)
  return answers
}
