/** `z1 eval`: runs an evaluation, or goes on with one. */
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { checkDistinct, writeWhole } from '../../base/files.js'
import { figureOf } from '../../eval/figure.js'
import { METHOD_NAMES, methodOf } from '../../eval/methods/index.js'
import { reportOf } from '../../eval/report.js'
import { filesOfRun, readOutcomes, readRun } from '../../eval/results.js'
import { evaluate, type Progress } from '../../eval/run.js'
import { summarize } from '../../eval/summary.js'
import { modelPath } from '../../reason/model-name.js'
import { flag, integer, list, required, text, UsageError, word } from '../args.js'
import { defineCommand } from '../command.js'
import { answerOptions, loadOptions, modelOptions, samplingOptions, speculationOption } from '../groups.js'
import { policiesOf, policyOptions } from '../policies.js'
import { runInterruptible, showBytes } from '../progress.js'
import { concurrencyOption, remoteOption, remoteReasoner } from '../remote.js'
import { templateOf, templateOptions } from '../template.js'
import { print } from '../terminal.js'
import { filesRead, selectedTask, taskOptions, withoutTask } from './task.js'

const DEFAULT_WINDOWS = ['0', '12.5%', '25%', '50%', '100%', 'inf']

export const command = defineCommand({
  usage: `z1 eval [options] --output DIR       runs, or goes on with what is in DIR
z1 eval compare [--windows A:B,…] [--json] DIR DIR
z1 eval merge --output DIR DIR…
z1 eval trace [options] --output DIR
z1 eval policies [--policy NAME]… [--windows W,…] [--json] DIR…
z1 eval plot [--label TEXT]… [--title TEXT] --output FILE.svg DIR…
z1 eval report [--label TEXT]… [--no-texts] [--svg FILE] --output FILE DIR…`,
  operands: { min: 0, max: 0, expected: 'no argument' },
  options: {
    output: required(text({ value: 'DIR', help: 'folder of the run' }), 'the folder of the run'),
    ...taskOptions,
    windows: list({
      value: 'W,…',
      help: "tokens, percents of each item's natural length, inf",
      default: `${DEFAULT_WINDOWS.join(',')}; direct 0, unlimited inf`,
    }),
    method: word(METHOD_NAMES, {
      value: 'NAME',
      help:
        "window: the shifted thinking window; delimited: thinking between the model's tags, closed by force; " +
        'none: no hint, the response ends at the window; direct: no thinking; unlimited: no window; ' +
        "budget-forcing: s1's, Wait in the place of an end",
      default: 'window',
    }),
    hint: answerOptions.hint,
    loops: flag({ help: 'a block of 4 to 128 tokens three times in a row ends the thinking or the answer' }),
    ...policyOptions,
    // What fits beside an item would be another run for each.
    maxTokens: { ...answerOptions.maxTokens, default: '1024' },
    system: answerOptions.system,
    temperature: samplingOptions.temperature,
    samples: integer(1, { value: 'N', help: 'responses to each item and window', default: '1' }),
    speculation: speculationOption,
    seed: { ...samplingOptions.seed, help: 'of the items and of the sampling', default: '0' },
    shard: text({ value: 'I/N', help: 'only every N-th item, from the I-th on; merge makes one run of all' }),
    ...modelOptions,
    ...remoteOption,
    ...concurrencyOption,
    chatTemplate: { ...templateOptions.chatTemplate, help: 'with --remote, the chat template of its model in Jinja' },
    parallel: {
      ...modelOptions.parallel,
      help: 'requests at once; 1 gives the same results to the token every time',
    },
    ...loadOptions,
    branches: integer(0, {
      value: 'N',
      help: 'answers to smaller windows at once, beside the thinking that goes on; 0: a request for each window',
      default: 'as --parallel, at least 2',
    }),
    figure: text({ value: 'FILE.svg', help: 'draw accuracy over thinking tokens' }),
    json: flag({ help: 'print the summary as JSON and nothing else' }),
  },
  async run({ figure, json, remote, concurrency, chatTemplate: template, ...given }) {
    const { policies, rest } = policiesOf(given)
    const { task, rest: options } = withoutTask(rest)
    const { output, seed } = options
    const windows = options.windows ?? (methodOf(options.method ?? 'window').windows ? undefined : DEFAULT_WINDOWS)
    const read = filesRead(task, options)
    await checkDistinct(filesOfRun(output), read)
    if (figure !== undefined) await checkDistinct([figure], [...read, ...filesOfRun(output)])
    if (template !== undefined && remote === undefined) throw new UsageError('Expected --remote with --chat-template')
    const { chatTemplate } = await templateOf({ chatTemplate: template, templateVariable: undefined })
    const summary = await runInterruptible(
      async ({ signal, show }) => {
        const pulling = { download: task.download, signal, onProgress: showBytes('downloading', show) }
        const items = await selectedTask(task, seed, pulling)
        const onProgress = show && ((progress: Progress) => show(responseProgress(progress)))
        const run = { ...policies, windows, task: items, signal, onProgress }
        if (remote !== undefined) {
          const { loading, ...asks } = withoutLoad(options)
          await using reasoner = await remoteReasoner(
            { remote, concurrency, chatTemplate, model: options.model },
            { ...loading, download: task.download },
            signal,
          )
          return await evaluate({ ...asks, ...run, reasoner })
        }
        if (concurrency !== undefined)
          throw new UsageError('Expected --remote with --concurrency: a load has --parallel')
        const model = options.model && (await modelPath(options.model, { ...pulling, onDownload: pulling.onProgress }))
        return evaluate({ ...options, ...run, model })
      },
      () => afterInterrupt(output, json === true),
    )
    if (!summary) return
    if (figure !== undefined) await writeWhole(figure, figureOf([{ label: basename(resolve(output)), summary }]))
    print(json ? `${JSON.stringify(summary, null, 2)}\n` : `${reportOf(summary)}\n`)
  },
})

/** Options without those of a load, and these without the model, which a server has too. */
function withoutLoad<T extends Partial<Record<LoadName, unknown>>>(options: T) {
  const loading: Partial<Record<LoadName, unknown>> = {}
  const asks = { ...options }
  for (const name of LOAD_NAMES) {
    if (name !== 'model') loading[name] = options[name]
    delete asks[name]
  }
  return { loading, ...(asks as Omit<T, LoadName>) }
}

type LoadName = keyof typeof modelOptions | keyof typeof loadOptions | 'branches'

const LOAD_NAMES = [...Object.keys(modelOptions), ...Object.keys(loadOptions), 'branches'] as LoadName[]

/** Responses, with the accuracies so far. */
function responseProgress({ done, total, computed, windows }: Progress) {
  const accuracies = windows
    .filter(({ done }) => done > 0)
    .map(({ window, done, correct }) => `${window} ${((100 * correct) / done).toFixed(1)}%`)
  return { fraction: done / total, done: computed, text: `${done}/${total}`, detail: accuracies.join('  ') }
}

/** Prints what there is. Gives the rest of the sentence that says that the run was interrupted. */
async function afterInterrupt(output: string, json: boolean): Promise<string> {
  if (!existsSync(join(output, 'run.json'))) return ' before the first response'
  const { options } = readRun(output)
  const summary = summarize(options, await readOutcomes(output))
  if (!json) print(`${reportOf(summary)}\n`)
  return `: ${summary.done} of ${summary.total} responses are kept in ${output}; the same command goes on from there`
}
