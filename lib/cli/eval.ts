/** `z1 eval`: runs an evaluation, compares two, draws figures. */
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { writeWhole } from '../base/files.js'
import { compareRuns } from '../eval/compare.js'
import { figureOf } from '../eval/figure.js'
import { reportOf, reportOfComparison } from '../eval/report.js'
import { type Method, readOutcomes, readRun } from '../eval/results.js'
import { evaluate, type Progress } from '../eval/run.js'
import { readSummary, summarize } from '../eval/summary.js'
import type { Task } from '../eval/task.js'
import { heldout } from '../eval/tasks/heldout.js'
import { jsonl } from '../eval/tasks/jsonl.js'
import { Misuse, numberOf, readArgs } from './args.js'

const USAGE = `z1 eval [options] --output DIR       runs, or goes on with what is in DIR
z1 eval compare [--windows A:B,…] [--json] DIR DIR
z1 eval plot [--label TEXT]… [--title TEXT] --output FILE.svg DIR…

  --task NAME         heldout: generated problems that are in no training data; jsonl: a file (default: heldout)
  --data FILE         jsonl: lines with question and answer
  --count N           items (default: heldout 600, jsonl all)
  --families A,B      heldout: only these
  --difficulty A-B    heldout: from A to B
  --windows W,…       tokens, percents of each item's natural length, inf (default: 0,12.5%,25%,50%,100%,inf)
  --method NAME       window: the shifted thinking window; delimited: thinking between the model's tags, closed by
                      force; none: no hint, the response ends at the window (default: window)
  --hint TEXT         plain, boxed, or any text (default: plain)
  --max-tokens N      tokens of the answer after a cut (default: 1024)
  --system TEXT       system message
  --temperature T     0 is greedy (default: 0)
  --samples N         responses to each item and window (default: 1)
  --seed N            of the items and of the sampling (default: 0)
  --model FILE        a GGUF file (default: the embedded model)
  --engine NAME       auto, cpu, cuda, vulkan, metal, or a directory (default: auto)
  --gpu-layers N      layers on the GPU (default: as many as fit)
  --context-size N    tokens of a whole request (default: the model's, at most 8192)
  --parallel N        requests at once; 1 gives the same results to the token every time (default: 1)
  --threads N         (default: the physical cores)
  --figure FILE.svg   draw accuracy over thinking tokens
  --json              print the summary as JSON and nothing else
`

const OPTIONS = {
  task: { type: 'string' },
  data: { type: 'string' },
  count: { type: 'string' },
  families: { type: 'string' },
  difficulty: { type: 'string' },
  windows: { type: 'string' },
  method: { type: 'string' },
  hint: { type: 'string' },
  'max-tokens': { type: 'string' },
  system: { type: 'string' },
  temperature: { type: 'string' },
  samples: { type: 'string' },
  seed: { type: 'string' },
  model: { type: 'string' },
  engine: { type: 'string' },
  'gpu-layers': { type: 'string' },
  'context-size': { type: 'string' },
  parallel: { type: 'string' },
  threads: { type: 'string' },
  output: { type: 'string' },
  figure: { type: 'string' },
  json: { type: 'boolean' },
} as const

type Values = NonNullable<ReturnType<typeof readArgs<typeof OPTIONS>>>['values']

/** The command `z1 eval`; a function cannot be called `eval`. */
export async function evalCommand(args: string[]): Promise<void> {
  if (args[0] === 'compare') return compare(args.slice(1))
  if (args[0] === 'plot') return plot(args.slice(1))
  const parsed = readArgs(args, OPTIONS, USAGE)
  if (!parsed) return
  const { values, positionals } = parsed
  if (positionals.length > 0) throw new Misuse(`Expected no argument but received '${positionals[0]}'`, USAGE)
  if (values.output === undefined) throw new Misuse('Expected --output with the folder of the run', USAGE)
  await run(values, values.output)
}

async function run(values: Values, output: string): Promise<void> {
  const task = taskOf(values)
  const interrupt = new AbortController()
  // The first Ctrl-C ends the run in order; the second ends the process.
  const stop = () => interrupt.abort()
  process.once('SIGINT', stop)
  try {
    const summary = await evaluate({
      task,
      output,
      windows: (values.windows ?? '0,12.5%,25%,50%,100%,inf').split(','),
      method: values.method as Method | undefined,
      hint: values.hint,
      maxTokens: numberOf(values['max-tokens'], 'max-tokens'),
      system: values.system,
      temperature: numberOf(values.temperature, 'temperature'),
      samples: numberOf(values.samples, 'samples'),
      seed: numberOf(values.seed, 'seed'),
      model: values.model,
      engine: values.engine,
      gpuLayers: numberOf(values['gpu-layers'], 'gpu-layers'),
      contextSize: numberOf(values['context-size'], 'context-size'),
      parallel: numberOf(values.parallel, 'parallel'),
      threads: numberOf(values.threads, 'threads'),
      signal: interrupt.signal,
      onProgress: process.stderr.isTTY ? progressLine() : undefined,
    })
    if (values.figure !== undefined) await writeWhole(values.figure, figureOf([{ label: nameOf(output), summary }]))
    process.stdout.write(values.json ? `${JSON.stringify(summary, null, 2)}\n` : `${reportOf(summary)}\n`)
  } catch (error) {
    if (!interrupt.signal.aborted || error !== interrupt.signal.reason) throw error
    await tellInterrupted(output, values.json === true)
  } finally {
    process.off('SIGINT', stop)
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}

async function tellInterrupted(output: string, json: boolean): Promise<void> {
  process.exitCode = 130
  if (!existsSync(join(output, 'run.json'))) {
    process.stderr.write('z1: Interrupted before the first response\n')
    return
  }
  const { options } = readRun(output)
  const summary = summarize(options, await readOutcomes(output))
  if (!json) process.stdout.write(`${reportOf(summary)}\n`)
  process.stderr.write(
    `z1: Interrupted: ${summary.done} of ${summary.total} responses are kept in ${output}; ` +
      'the same command goes on from there\n',
  )
}

function taskOf({ task = 'heldout', data, count, families, difficulty, seed }: Values): Task {
  if (count !== undefined && !/^[1-9]\d*$/.test(count)) {
    throw new Misuse(`Expected an integer ≥ 1 for --count but received '${count}'`)
  }
  if (task === 'jsonl') {
    if (data === undefined) throw new Misuse('Expected --data with the file of the task jsonl', USAGE)
    if ((families ?? difficulty) !== undefined) throw new Misuse('The task jsonl has no --families and no --difficulty')
    return jsonl({ file: data, count: numberOf(count, 'count') })
  }
  if (task !== 'heldout') throw new Misuse(`Expected heldout or jsonl for --task but received '${task}'`, USAGE)
  if (data !== undefined) throw new Misuse('The task heldout has no --data: it is generated')
  return heldout({
    count: numberOf(count, 'count'),
    seed: numberOf(seed, 'seed'),
    families: families?.split(','),
    difficulty: rangeOf(difficulty),
  })
}

function rangeOf(value: string | undefined): [number, number] | undefined {
  if (value === undefined) return undefined
  const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(value) ?? []
  if (from === undefined)
    throw new Misuse(`Expected a level or a range such as 1-8 for --difficulty but received '${value}'`)
  return [Number(from), Number(to ?? from)]
}

/** Shows rate, time left and running accuracy on one line of the terminal, ten times a second at most. */
function progressLine(): (progress: Progress) => void {
  const start = performance.now()
  let shown = 0
  return ({ done, total, computed, windows }) => {
    const now = performance.now()
    if (now - shown < 100 && done < total) return
    shown = now
    const rate = (computed / (now - start)) * 1000
    const accuracies = windows
      .filter(({ done }) => done > 0)
      .map(({ window, done, correct }) => `${window} ${((100 * correct) / done).toFixed(1)}%`)
    const left = duration((total - done) / rate)
    const line = [`${done}/${total}`, `${rate.toFixed(1)}/s`, `${left} left`, ...accuracies].join('  ')
    process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`)
  }
}

function duration(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)]
  const padded = String(rest).padStart(2, '0')
  if (minutes < 60) return `${minutes}:${padded}`
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${padded}`
}

async function compare(args: string[]): Promise<void> {
  const parsed = readArgs(args, { windows: { type: 'string' }, json: { type: 'boolean' } } as const, USAGE)
  if (!parsed) return
  const [a, b, ...more] = parsed.positionals
  if (a === undefined || b === undefined || more.length > 0) throw new Misuse('Expected the folders of two runs', USAGE)
  const pairs = parsed.values.windows?.split(',').map((pair) => {
    const [windowA = pair, windowB = windowA] = pair.split(':')
    return [windowA, windowB] as const
  })
  const comparisons = await compareRuns(a, b, pairs)
  if (parsed.values.json) process.stdout.write(`${JSON.stringify(comparisons, null, 2)}\n`)
  else process.stdout.write(`A: ${a}\nB: ${b}\n\n${reportOfComparison(comparisons)}\n`)
}

async function plot(args: string[]): Promise<void> {
  const parsed = readArgs(
    args,
    { label: { type: 'string', multiple: true }, title: { type: 'string' }, output: { type: 'string' } } as const,
    USAGE,
  )
  if (!parsed) return
  const { values, positionals } = parsed
  const { label = [], title, output } = values
  if (output === undefined || positionals.length === 0) {
    throw new Misuse('Expected the folders of runs, and --output with a file', USAGE)
  }
  if (label.length > 0 && label.length !== positionals.length) throw new Misuse('Expected one --label for each run')
  const runs = positionals.map((directory, i) => ({
    label: label[i] ?? nameOf(directory),
    summary: readSummary(directory),
  }))
  await writeWhole(output, figureOf(runs, title))
}

function nameOf(directory: string): string {
  return basename(resolve(directory))
}
