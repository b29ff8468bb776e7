/** The options of a task, and the items that they name: of an evaluation, or of a trace. */
import { type GroupFilter, selectItems } from '../../eval/selection.js'
import type { Task } from '../../eval/task.js'
import { bigCodeBenchHard } from '../../eval/tasks/bigcodebench.js'
import { gpqaDiamond } from '../../eval/tasks/gpqa-diamond.js'
import { heldout } from '../../eval/tasks/heldout.js'
import { humanEval } from '../../eval/tasks/humaneval.js'
import { jsonl } from '../../eval/tasks/jsonl.js'
import { liveCodeBench } from '../../eval/tasks/livecodebench.js'
import { aime24, amc23, gsm8k, math500 } from '../../eval/tasks/mathematics.js'
import { benchmarkNamed } from '../../hub/benchmarks.js'
import { findCached, listCached } from '../../hub/cached.js'
import type { FindOptions } from '../../hub/options.js'
import { flag, integer, list, oneOf, range, text, UsageError, type Values } from '../args.js'

const BENCHMARKS = { math500, 'gpqa-diamond': gpqaDiamond, gsm8k, aime24, amc23 }

/** Benchmarks whose answers are programs that are executed. */
const CODE_BENCHMARKS = { humaneval: humanEval, livecodebench: liveCodeBench, 'bigcodebench-hard': bigCodeBenchHard }

const BENCHMARK_NAMES = [...Object.keys(BENCHMARKS), ...Object.keys(CODE_BENCHMARKS)]

export const taskOptions = {
  task: oneOf(['heldout', 'jsonl', ...BENCHMARK_NAMES], {
    value: 'NAME',
    help:
      'heldout: generated problems that are in no training data; jsonl: a file of questions and answers; ' +
      `${BENCHMARK_NAMES.join(', ')}: a benchmark's file`,
    fallback: 'heldout',
  }),
  data: text({
    value: 'FILE',
    help: 'of jsonl and the benchmarks: .jsonl, .jsonl.gz or .parquet',
    default: 'of a benchmark, what was pulled',
  }),
  download: flag({ help: 'pull the file of a benchmark, and a model that is named, if they were not' }),
  count: integer(1, { value: 'N', help: 'the first items', default: 'heldout 600, others all' }),
  limit: integer(1, { value: 'N', help: 'a sample of the items, drawn with --seed', default: 'all' }),
  filter: list({ value: 'GROUP=VALUE,…', help: 'only items of these groups: subject=Algebra,level=1-3' }),
  families: list({ value: 'A,B', help: 'heldout: only these' }),
  difficulty: range({ value: 'A-B', help: 'heldout: from A to B' }),
  wordings: oneOf(['seen', 'unseen'], {
    value: 'NAME',
    help: 'heldout: unseen puts its questions in words that no training data has',
    default: 'seen',
  }),
  python: text({ value: 'PATH', help: 'answers that are programs: run them with this Python', default: 'python3' }),
  unsafeExecution: flag({ help: 'answers that are programs: run them without a sandbox, with all your rights' }),
}

type TaskValues = Values<typeof taskOptions>

/**
 * The task, with the items that are asked for.
 * @param seed Of the items.
 * @throws {UsageError} for options that the task does not have.
 */
export async function selectedTask(
  { limit, filter, download, ...values }: TaskValues,
  seed: number | undefined,
  pulling: FindOptions,
): Promise<Task> {
  const groups = filter && filterOf(filter)
  const { task, data } = values
  const file = data ?? (Object.hasOwn(BENCHMARKS, task) ? await benchmarkFile(task, pulling) : undefined)
  const asked = taskOf({ ...values, data: file }, seed)
  return limit === undefined && !groups ? asked : selectItems(asked, { limit, filter: groups, seed })
}

/** The task's options, and the other values. */
export function withoutTask<T extends TaskValues>(values: T): { task: TaskValues; rest: Omit<T, keyof TaskValues> } {
  const {
    task,
    data,
    download,
    count,
    limit,
    filter,
    families,
    difficulty,
    wordings,
    python,
    unsafeExecution,
    ...rest
  } = values
  return {
    task: { task, data, download, count, limit, filter, families, difficulty, wordings, python, unsafeExecution },
    rest,
  }
}

/** Files that a run reads, and so must not write. */
export function filesRead(
  { data }: Pick<TaskValues, 'data'>,
  { model, lora = [] }: { model?: string | undefined; lora?: { path: string }[] | undefined },
): string[] {
  return [data, model, ...lora.map(({ path }) => path)].filter((file) => file !== undefined)
}

/** `subject=Algebra`, `level=1-3`; a group that is given twice keeps both values. */
function filterOf(given: string[]): Record<string, GroupFilter> {
  const filter: Record<string, GroupFilter> = {}
  for (const text of given) {
    const [, name, value] = /^([^=]+)=(.+)$/.exec(text) ?? []
    if (name === undefined || value === undefined) {
      throw new UsageError(`Expected GROUP=VALUE for --filter but received ${JSON.stringify(text)}`)
    }
    const [, min, max] = /^(\d+)-(\d+)$/.exec(value) ?? []
    const before = filter[name]
    if (min !== undefined && max !== undefined) filter[name] = { min: Number(min), max: Number(max) }
    else filter[name] = before && !('min' in before) ? [...before, value] : [value]
  }
  return filter
}

/** What was pulled of a benchmark; undefined for one that the Hub does not have. */
async function benchmarkFile(task: string, options: FindOptions): Promise<string | undefined> {
  if (!benchmarkNamed(task)) return undefined
  if (!options.download && !(await listCached()).some(({ name }) => name === task)) {
    throw new UsageError(`Expected --data with the file of the task ${task}, or before that: z1 pull ${task}`, true)
  }
  return findCached(task, options)
}

function taskOf(values: Omit<TaskValues, 'limit' | 'filter' | 'download'>, seed: number | undefined): Task {
  const { task, data, count, families, difficulty, wordings, python, unsafeExecution } = values
  const isCode = Object.hasOwn(CODE_BENCHMARKS, task)
  if (!isCode && (python ?? unsafeExecution) !== undefined) {
    throw new UsageError(`The task ${task} has no --python and no --unsafe-execution: it executes no programs`)
  }
  if (task !== 'heldout') {
    if (data === undefined) throw new UsageError(`Expected --data with the file of the task ${task}`, true)
    if ((families ?? difficulty ?? wordings) !== undefined) {
      throw new UsageError(`The task ${task} has no --families, no --difficulty and no --wordings`)
    }
    if (task === 'jsonl') return jsonl({ file: data, count })
    if (count !== undefined) throw new UsageError(`The task ${task} has no --count: --limit takes a sample`)
    if (isCode) return CODE_BENCHMARKS[task as keyof typeof CODE_BENCHMARKS]({ file: data, python, unsafeExecution })
    return BENCHMARKS[task as keyof typeof BENCHMARKS]({ file: data })
  }
  if (data !== undefined) throw new UsageError('The task heldout has no --data: it is generated')
  return heldout({ count, seed, families, difficulty, wordings })
}
