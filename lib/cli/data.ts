/** `z1 data`: makes, imports, cleans, selects and measures trajectory sets. */
import { writeFile } from 'node:fs/promises'
import { cannotWrite } from '../base/files.js'
import { chartOf } from '../data/chart.js'
import { clean } from '../data/clean.js'
import { distill } from '../data/distill.js'
import { generateFile } from '../data/generate.js'
import { importRecords } from '../data/import.js'
import type { JobOptions, Progress } from '../data/options.js'
import type { JobReport } from '../data/run-state.js'
import { type SelectionOptions, select } from '../data/select.js'
import { stats } from '../data/stats.js'
import type { GenerateOptions } from '../problems/generate.js'
import type { ReasonOptions } from '../reason/options.js'
import { Misuse, numberOf, readArgs } from './args.js'
import { statsTable } from './data-stats.js'
import { table } from './table.js'

const HELP = `z1 data COMMAND [options] FILE…

  generate    problems of graded difficulty with their trajectories
  distill     trajectories by a teacher: a GGUF model or a server
  import      other trajectory sets: no delimiters, plain records
  clean       without duplicates, near duplicates, evaluation questions
  select      part of a set, by a budget of tokens
  stats       counts, lengths, frequent phrases

Files are .jsonl, .jsonl.gz or .parquet; - is standard input or output. A command that was killed goes on where it stood
when it is called again. z1 data COMMAND --help tells a command's options.
`

const OUTPUT_USAGE = `  -o, --output FILE   .jsonl, .parquet, or - (default: -)
  --force             begin anew, whatever is in the output
  --json              print what was done as JSON
`

const OUTPUT_OPTIONS = {
  output: { type: 'string', short: 'o' },
  force: { type: 'boolean' },
  json: { type: 'boolean' },
} as const

const COMMANDS: Record<string, (args: string[]) => Promise<void>> = {
  generate: generateCommand,
  distill: distillCommand,
  import: importCommand,
  clean: cleanCommand,
  select: selectCommand,
  stats: statsCommand,
}

export async function data([name, ...args]: string[]): Promise<void> {
  if (name === undefined) throw new Misuse('Expected a command', HELP)
  if (name === '--help' || name === '-h') {
    process.stdout.write(HELP)
    return
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw new Misuse(`Unknown command ${name}`, HELP)
  await command(args)
}

const GENERATE_USAGE = `z1 data generate [options]

  --count N           records (default: 1000)
  --seed N            equal seeds give equal records (default: 0)
  --families A,B:3    letters, arithmetic, lists, numbers, programs, stories, outside (default: all but the last);
                      the :3 makes B come three times as often
  --difficulty A-B    within 1-8 (default: 1-8)
  --split NAME        train or test: no problem is in both (default: train)
  --style NAME        z1: one text; delimited: always long, between think tags (default: z1)
  --check[=PYTHON]    run each problem's program, and end at one that prints another answer (default: python3)
  --tokenizer FILE    GGUF file whose vocabulary counts tokens (default: the embedded model)
${OUTPUT_USAGE}`

async function generateCommand(args: string[]): Promise<void> {
  const options = {
    count: { type: 'string' },
    seed: { type: 'string' },
    families: { type: 'string' },
    difficulty: { type: 'string' },
    split: { type: 'string' },
    style: { type: 'string' },
    check: { type: 'string' },
    tokenizer: { type: 'string' },
    ...OUTPUT_OPTIONS,
  } as const
  // An option with a value that may be left out, which parseArgs does not know.
  const parsed = readArgs(
    args.map((arg) => (arg === '--check' ? '--check=python3' : arg)),
    options,
    GENERATE_USAGE,
  )
  if (!parsed) return
  const { values, positionals } = parsed
  if (positionals.length > 0) throw new Misuse(`Expected no file but received ${positionals[0]}`, GENERATE_USAGE)
  await job(values, (base) =>
    generateFile({
      ...base,
      count: integerOf(values.count, 'count', 1) ?? 1000,
      seed: integerOf(values.seed, 'seed', 0) ?? 0,
      ...(values.families === undefined ? {} : { families: values.families.split(',') }),
      ...(values.difficulty === undefined ? {} : { difficulty: rangeOf(values.difficulty) }),
      split: oneOf(values.split ?? 'train', 'split', ['train', 'test']) as NonNullable<GenerateOptions['split']>,
      style: oneOf(values.style ?? 'z1', 'style', ['z1', 'delimited']) as NonNullable<GenerateOptions['style']>,
      check: values.check,
      tokenizer: values.tokenizer,
    }),
  )
}

const DISTILL_USAGE = `z1 data distill [options] FILE…      (questions: rows with a column question)

  --model FILE        GGUF file of the teacher; with --server, the model's name there (default: the embedded model)
  --server URL        an OpenAI-compatible server; its key is in Z1_API_KEY or OPENAI_API_KEY
  --limit N           tokens of a trajectory, which is cut there (default: 8192)
  --parallel N        requests at once (default: 4)
  --system TEXT       system message
  --temperature T     0 is greedy (default: 0)
  --top-p P           (default: the teacher's)
  --seed N            of the first question, each has its own (default: 0)
  --tags MODE         ban: no think tags; keep: think between them, then take them out (default: ban)
  --whole             leave out what reached the limit
  --check             leave out what does not end with the row's answer
  --context-size N    tokens of question and trajectory (default: limit + 2048, at most what the model knows)
  --engine NAME       auto, cpu, cuda, vulkan, metal, or a directory (default: auto)
  --gpu-layers N      layers on the GPU (default: as many as fit)
  --threads N         (default: the physical cores)
  --tokenizer FILE    GGUF file whose vocabulary counts tokens (default: the teacher's own count)
${OUTPUT_USAGE}`

async function distillCommand(args: string[]): Promise<void> {
  const options = {
    model: { type: 'string' },
    server: { type: 'string' },
    limit: { type: 'string' },
    parallel: { type: 'string' },
    system: { type: 'string' },
    temperature: { type: 'string' },
    'top-p': { type: 'string' },
    seed: { type: 'string' },
    tags: { type: 'string' },
    whole: { type: 'boolean' },
    check: { type: 'boolean' },
    'context-size': { type: 'string' },
    engine: { type: 'string' },
    'gpu-layers': { type: 'string' },
    threads: { type: 'string' },
    tokenizer: { type: 'string' },
    ...OUTPUT_OPTIONS,
  } as const
  const parsed = readArgs(args, options, DISTILL_USAGE)
  if (!parsed) return
  const { values, positionals: inputs } = parsed
  expectFiles(inputs, DISTILL_USAGE)
  await job(values, (base) =>
    distill({
      ...base,
      inputs,
      model: values.model,
      server: values.server,
      key: process.env.Z1_API_KEY ?? process.env.OPENAI_API_KEY,
      limit: integerOf(values.limit, 'limit', 1),
      parallel: integerOf(values.parallel, 'parallel', 1),
      system: values.system,
      temperature: numberOf(values.temperature, 'temperature'),
      topP: numberOf(values['top-p'], 'top-p'),
      seed: integerOf(values.seed, 'seed', 0),
      tags: values.tags as ReasonOptions['tags'],
      whole: values.whole,
      check: values.check,
      contextSize: integerOf(values['context-size'], 'context-size', 8),
      load: {
        engine: values.engine,
        gpuLayers: numberOf(values['gpu-layers'], 'gpu-layers'),
        threads: numberOf(values.threads, 'threads'),
      },
      tokenizer: values.tokenizer,
    }),
  )
}

const IMPORT_USAGE = `z1 data import [options] FILE…

  --question-field NAME    (default: question, problem, prompt or instruction; or a conversation)
  --response-field NAME    (default: response, output or generation; or a conversation)
  --thinking-field NAME    reasoning that comes before the response (default: none)
  --id-field NAME          (default: id, else the file's name and the row)
  --answer-field NAME      (default: answer)
  --tokenizer FILE    GGUF file whose vocabulary counts tokens (default: the embedded model)
${OUTPUT_USAGE}`

async function importCommand(args: string[]): Promise<void> {
  const options = {
    'question-field': { type: 'string' },
    'response-field': { type: 'string' },
    'thinking-field': { type: 'string' },
    'id-field': { type: 'string' },
    'answer-field': { type: 'string' },
    tokenizer: { type: 'string' },
    ...OUTPUT_OPTIONS,
  } as const
  const parsed = readArgs(args, options, IMPORT_USAGE)
  if (!parsed) return
  const { values, positionals: inputs } = parsed
  expectFiles(inputs, IMPORT_USAGE)
  await job(values, (base) =>
    importRecords({
      ...base,
      inputs,
      questionField: values['question-field'],
      responseField: values['response-field'],
      thinkingField: values['thinking-field'],
      idField: values['id-field'],
      answerField: values['answer-field'],
      tokenizer: values.tokenizer,
    }),
  )
}

const CLEAN_USAGE = `z1 data clean [options] FILE…

  --against FILE      questions that must not be trained on; may be given more than once
  --overlap N         words in a row, shared with one of those, that are too many (default: 13)
  --threshold S       similarity (Jaccard's, of runs of three words) from which questions are the same (default: 0.8)
  --exact             look for equal questions only, not for similar ones
${OUTPUT_USAGE}`

async function cleanCommand(args: string[]): Promise<void> {
  const options = {
    against: { type: 'string', multiple: true },
    overlap: { type: 'string' },
    threshold: { type: 'string' },
    exact: { type: 'boolean' },
    ...OUTPUT_OPTIONS,
  } as const
  const parsed = readArgs(args, options, CLEAN_USAGE)
  if (!parsed) return
  const { values, positionals: inputs } = parsed
  expectFiles(inputs, CLEAN_USAGE)
  await job(values, (base) =>
    clean({
      ...base,
      inputs,
      against: values.against,
      overlap: integerOf(values.overlap, 'overlap', 1),
      threshold: numberOf(values.threshold, 'threshold'),
      near: !values.exact,
    }),
  )
}

const SELECT_USAGE = `z1 data select --tokens T --mode MODE [options] FILE…

  --tokens T          budget of tokens; the paper's is 73996112
  --mode MODE         longest, shortest or random: which records come first
  --rule RULE         script: take records until the budget is reached or exceeded, as the paper's repository does;
                      algorithm1: take every record that still fits, as the paper says (default: script)
  --seed N            for --mode random (default: 42)
${OUTPUT_USAGE}`

async function selectCommand(args: string[]): Promise<void> {
  const options = {
    tokens: { type: 'string' },
    mode: { type: 'string' },
    rule: { type: 'string' },
    seed: { type: 'string' },
    ...OUTPUT_OPTIONS,
  } as const
  const parsed = readArgs(args, options, SELECT_USAGE)
  if (!parsed) return
  const { values, positionals: inputs } = parsed
  expectFiles(inputs, SELECT_USAGE)
  const tokens = integerOf(values.tokens, 'tokens', 0)
  if (tokens === undefined || values.mode === undefined) throw new Misuse('Expected --tokens and --mode', SELECT_USAGE)
  const mode = values.mode as SelectionOptions['mode']
  const rule = values.rule as SelectionOptions['rule']
  await job(values, (base) => select({ ...base, inputs, tokens, mode, rule, seed: integerOf(values.seed, 'seed', 0) }))
}

const STATS_USAGE = `z1 data stats [options] FILE…

  --json              print everything as JSON
  --svg FILE          draw the lengths and the frequent phrases
  --title TEXT        title of the drawing
  --trigrams N        frequent runs of three words to list (default: 15)
`

async function statsCommand(args: string[]): Promise<void> {
  const options = {
    json: { type: 'boolean' },
    svg: { type: 'string' },
    title: { type: 'string' },
    trigrams: { type: 'string' },
  } as const
  const parsed = readArgs(args, options, STATS_USAGE)
  if (!parsed) return
  const { values, positionals: inputs } = parsed
  expectFiles(inputs, STATS_USAGE)
  const trigrams = integerOf(values.trigrams, 'trigrams', 0)
  const found = await interruptible((signal, onProgress) => stats({ inputs, trigrams, signal, onProgress }))
  if (!found) return
  if (values.svg !== undefined) {
    const path = values.svg
    await writeFile(path, chartOf(found, values.title)).catch((error) => {
      throw cannotWrite(path, error)
    })
  }
  process.stdout.write(values.json ? `${JSON.stringify(found, null, 2)}\n` : statsTable(found))
}

type Base = Pick<JobOptions, 'output' | 'force' | 'signal' | 'onProgress'>

/** Runs a command that writes records, and tells what became of them. */
async function job(
  { output = '-', force, json }: { output?: string; force?: boolean; json?: boolean },
  run: (base: Base) => Promise<JobReport>,
): Promise<void> {
  let read = 0
  const report = await interruptible(
    (signal, show) => {
      const onProgress = (progress: Progress) => {
        read = progress.read
        show?.(progress)
      }
      return run({ output, force, signal, onProgress })
    },
    () => (output === '-' ? '' : `: ${read} rows are done; the same command goes on from there`),
  )
  if (!report) return
  const text = json ? `${JSON.stringify(report, null, 2)}\n` : reportTable(report)
  // Standard output may be the records'.
  if (output === '-') process.stderr.write(text)
  else process.stdout.write(text)
}

function reportTable({ read, kept, dropped, examples }: JobReport): string {
  const rows = Object.entries(dropped).map(([reason, count]): [string, string] => {
    const named = examples[reason] ?? []
    return [reason, `${count}  (${named.join(', ')}${count > named.length ? ', …' : ''})`]
  })
  return table([['read', String(read)], ['kept', String(kept)], ...rows])
}

/** Shows progress while `work` runs. The first Ctrl-C or SIGTERM ends it in order, and gives null. */
async function interruptible<T>(
  work: (signal: AbortSignal, onProgress: ((progress: Progress) => void) | undefined) => Promise<T>,
  after: () => string = () => '',
): Promise<T | null> {
  const controller = new AbortController()
  const interrupt = () => {
    controller.abort()
    // A pipe may have nothing to say for long.
    process.stdin.destroy()
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await work(controller.signal, process.stderr.isTTY ? progressLine() : undefined)
  } catch (error) {
    if (!controller.signal.aborted || error !== controller.signal.reason) throw error
    clearLine()
    process.stderr.write(`z1: Interrupted${after()}\n`)
    process.exitCode = 130
    return null
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    clearLine()
  }
}

function clearLine(): void {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
}

const BAR = 24

/** A bar with the rate and the time left, ten times a second at most. */
function progressLine(): (progress: Progress) => void {
  const start = performance.now()
  let first: Progress | undefined
  let shown = 0
  return (progress) => {
    first ??= progress
    const now = performance.now()
    if (now - shown < 100) return
    shown = now
    const { fraction, read, kept } = progress
    const seconds = (now - start) / 1000
    const filled = Math.round(fraction * BAR)
    const bar = fraction > 0 ? `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${Math.floor(fraction * 100)}%  ` : ''
    const done = fraction - first.fraction
    const left = done > 0 ? `  ${duration((seconds / done) * (1 - fraction))} left` : ''
    const line = `${bar}${read} read, ${kept} kept  ${((read - first.read) / seconds).toFixed(1)}/s${left}`
    process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`)
  }
}

function duration(seconds: number): string {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor) as number[]
  const two = (value: number | undefined) => String(value).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}

function expectFiles(inputs: string[], usage: string): void {
  if (inputs.length === 0) throw new Misuse('Expected at least one file', usage)
}

function integerOf(value: string | undefined, option: string, min: number): number | undefined {
  const number = numberOf(value, option)
  if (number === undefined || (Number.isSafeInteger(number) && number >= min)) return number
  throw new Misuse(`Expected an integer ≥ ${min} for --${option} but received '${value}'`)
}

function rangeOf(value: string): [number, number] {
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(value) ?? []
  if (from === undefined) {
    throw new Misuse(`Expected a level or a range such as 1-8 for --difficulty but received '${value}'`)
  }
  return [Number(from), Number(to ?? from)]
}

function oneOf(value: string, option: string, names: string[]): string {
  if (names.includes(value)) return value
  throw new Misuse(`Expected ${names.join(' or ')} for --${option} but received '${value}'`)
}
