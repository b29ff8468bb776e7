/** What the tasks share whose answers are programs: options, the place where those run, and what a response says. */
import { createHash } from 'node:crypto'
import { boolean } from '../../base/checks.js'
import { type Option, option, type Read, readOptions } from '../../base/options.js'
import { type CodeBlock, codeBlocks } from '../../grading/code-block.js'
import { Sandbox } from '../../grading/execution/sandbox.js'
import type { Answer, Verdict } from '../../grading/execution/verdict.js'
import type { ReasonResult } from '../../reason/result.js'
import type { Grade, GraderFacts, Item, Task } from '../task.js'
import { BENCHMARK_OPTIONS, type BenchmarkOptions, fileName } from './benchmark.js'

export interface ExecutionOptions extends BenchmarkOptions {
  /** Path of the Python that answers run in, read-only for them. Default: `python3` of the PATH. */
  python?: string | undefined
  /**
   * Run answers without a sandbox: with all rights of this process, on your files and your network. For where bubblewrap
   * cannot be had, inside a container or a virtual machine that nothing depends on. Default false.
   */
  unsafeExecution?: boolean | undefined
}

const EXECUTION_OPTIONS = {
  ...BENCHMARK_OPTIONS,
  python: option(fileName),
  unsafeExecution: option(boolean, false),
} satisfies Record<keyof ExecutionOptions, Option<unknown>>

/** The paper's system text for questions whose answer is a program. */
const CODE_SYSTEM = 'Please reason step by step.'

/** The paper's question for a problem whose answer is a program. */
export function scriptQuestion(problem: string): string {
  return (
    'Please provide a self-contained Python script that solves the following problem in a markdown code block:\n' +
    `\`\`\`\n${problem.trim()}\n\`\`\`\n`
  )
}

interface Executed<Source> {
  name: string
  /** Items, each with what its grading needs. */
  read(file: string): AsyncGenerator<{ item: Item; source: Source }>
  /** The program in a response. */
  program(source: Source, text: string): Answer | undefined
  run(sandbox: Sandbox, answer: Answer, source: Source, signal: AbortSignal | undefined): Promise<Verdict>
}

/** A task whose answers are programs that are executed. */
export function executed<Source>({ name, read, program, run }: Executed<Source>): (options: ExecutionOptions) => Task {
  return (options) => {
    const { file, python, unsafeExecution }: Read<typeof EXECUTION_OPTIONS> = readOptions(EXECUTION_OPTIONS, options)
    const sources = new Map<string, Source>()
    let sandbox: Promise<Sandbox> | undefined
    const open = () => {
      sandbox ??= Sandbox.open({ python, unsafe: unsafeExecution })
      return sandbox
    }
    return {
      name,
      async *items(): AsyncGenerator<Item> {
        for await (const { item, source } of read(file)) {
          sources.set(item.id, source)
          yield item
        }
      },
      prompt: ({ question }) => ({ messages: [{ role: 'user', content: question }], system: CODE_SYSTEM }),
      grader: async (): Promise<GraderFacts> => ({ ...(await open()).description }),
      async grade({ id }: Item, result: ReasonResult, signal?: AbortSignal): Promise<Grade> {
        const source = sources.get(id)
        if (source === undefined) throw new Error(`The task ${name} has no item ${id}`)
        const answer = program(source, saidIn(result))
        if (!answer) return { correct: false, extracted: null, reason: 'no program' }
        const sandbox = await open()
        const { passed, reason } = await sandbox.slot(() => run(sandbox, answer, source, signal))
        return { correct: passed, extracted: answer.code, ...(reason !== undefined && { reason }) }
      },
    }
  }
}

/** After a cut what follows the hint; of a response that ended by itself, all of it. */
function saidIn({ text, reasoning, answer }: ReasonResult): string {
  return text === reasoning ? text : answer
}

/** Of tests that no result tells of, so that a run knows them again. */
export function sha256(...texts: string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex')
}

const LANGUAGES: Readonly<Record<string, Answer['language']>> = {
  '': 'python',
  py: 'python',
  py3: 'python',
  python: 'python',
  python3: 'python',
  javascript: 'javascript',
  js: 'javascript',
  node: 'javascript',
}

/**
 * The last program of a response: the code of a fence that names its language, after it or on the line below, or none.
 * @param languages Fences in others are no programs.
 * @param defines What it should define: where a block has that, the last one that does counts, so that an example of its use
 * after it does not.
 */
export function lastProgram(
  text: string,
  languages: readonly Answer['language'][],
  defines?: RegExp,
): Answer | undefined {
  const programs = codeBlocks(text).map(programOf)
  const known = programs.filter((program) => program !== undefined && languages.includes(program.language)) as Answer[]
  return known.findLast(({ code }) => defines?.test(code)) ?? known.at(-1)
}

function programOf({ tag, code }: CodeBlock): Answer | undefined {
  const [, word = '', rest = ''] = tag === '' ? (/^\s*(\w+)[ \t]*\n([\s\S]*)$/.exec(code) ?? []) : []
  const name = word.toLowerCase()
  if (name !== '' && Object.hasOwn(LANGUAGES, name)) return programOf({ tag: name, code: rest })
  const language = Object.hasOwn(LANGUAGES, tag) ? LANGUAGES[tag] : undefined
  return language !== undefined && code.trim() !== '' ? { language, code } : undefined
}
