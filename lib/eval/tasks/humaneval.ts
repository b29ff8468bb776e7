/** The task `humaneval`: functions in Python, from their signature and docstring. */
import { readRows } from '../../base/formats.js'
import { codeBlocks } from '../../grading/code-block.js'
import { type CheckTest, runCheck } from '../../grading/execution/check.js'
import { BASE_LIMITS } from '../../grading/execution/limits.js'
import type { Answer } from '../../grading/execution/verdict.js'
import { Columns } from './benchmark.js'
import { executed, lastProgram, scriptQuestion, sha256 } from './execution.js'

/** The original gives all calls 3 seconds of a machine that does nothing else. */
const LIMITS = { ...BASE_LIMITS, wallMs: 15_000, cpuSeconds: 5 }

/** HumanEval: rows with `task_id`, `prompt`, `entry_point`, `canonical_solution`, `test`. */
export const humanEval = executed<CheckTest>({
  name: 'humaneval',
  async *read(file) {
    for await (const row of readRows(file, undefined, 'jsonl')) {
      const columns = new Columns(row)
      const source = { prompt: columns.text('prompt'), test: columns.text('test'), name: columns.text('entry_point') }
      const item = {
        id: columns.text('task_id'),
        question: scriptQuestion(source.prompt),
        answer: columns.text('canonical_solution'),
        testsSha256: sha256(source.test, source.name),
      }
      yield { item, source }
    }
  },
  program: humanEvalProgram,
  run: (sandbox, { code }, source, signal) => runCheck(sandbox, code, source, { limits: LIMITS, signal }),
})

/**
 * The whole program of a response. A function in it gets what the prompt has before its own: imports, and functions that it
 * may call. Else the response goes on where the prompt ends.
 */
export function humanEvalProgram(
  { prompt, name }: Pick<CheckTest, 'prompt' | 'name'>,
  text: string,
): Answer | undefined {
  const head = new RegExp(`^(?:async[ \\t]+)?def[ \\t]+${name.replace(/\W/g, '')}\\b`, 'm')
  const block = lastProgram(text, ['python'], head)
  const code = block?.code ?? (codeBlocks(text).length === 0 ? bareCode(text, head) : undefined)
  if (code === undefined) return undefined
  const whole = head.test(code)
    ? `${prompt.slice(0, Math.max(0, prompt.search(head)))}\n${code}`
    : `${prompt.trimEnd()}\n${indented(code)}`
  return { language: 'python', code: `${whole}\n` }
}

/** A response without a fence: a program, or the indented lines of a body, up to the first that is neither. */
function bareCode(text: string, head: RegExp): string | undefined {
  if (head.test(text)) return text.slice(text.search(/^(?:from|import|def|class|async|@)\b|^@/m))
  const lines = text.split('\n')
  const first = lines.findIndex((line) => line.trim() !== '')
  if (first < 0 || !/^[ \t]/.test(lines[first] as string)) return undefined
  const end = lines.findIndex((line, i) => i > first && /^\S/.test(line))
  return lines.slice(first, end < 0 ? undefined : end).join('\n')
}

/** As the body of a function. */
function indented(code: string): string {
  const first = code.split('\n').find((line) => line.trim() !== '') ?? ''
  return /^[ \t]/.test(first) ? code : code.replace(/^(?=.*\S)/gm, '    ')
}
