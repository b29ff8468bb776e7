/** `z1 eval trace`: what policies see of a task's items, recorded once. */
import { join } from 'node:path'
import { checkDistinct } from '../../base/files.js'
import { TRACE_FILE, type TraceProgress, traceTask } from '../../eval/trace/run.js'
import { modelPath } from '../../reason/model-name.js'
import { flag, integer, number, required, text } from '../args.js'
import { defineCommand } from '../command.js'
import { answerOptions, loadOptions, modelOptions, samplingOptions } from '../groups.js'
import { runInterruptible, showBytes } from '../progress.js'
import { print } from '../terminal.js'
import { filesRead, selectedTask, taskOptions, withoutTask } from './task.js'

export const command = defineCommand({
  usage: 'z1 eval trace [options] --output DIR',
  about: 'Lets each item think once, greedily, and records what `z1 eval policies`\nneeds to try policies.',
  operands: { min: 0, max: 0, expected: 'no argument' },
  options: {
    output: required(text({ value: 'DIR', help: 'folder of the traces' }), 'the folder of the traces'),
    ...taskOptions,
    window: text({ value: 'W', help: 'the largest window that can be tried: tokens, or inf', default: 'inf' }),
    every: integer(1, { value: 'N', help: 'tokens after each of which an answer is recorded', default: '32' }),
    margin: number({ value: 'NATS', help: 'the largest margin that can be tried', default: '2' }),
    lines: flag({ help: 'an answer at each end of a line, too: for landing' }),
    hint: answerOptions.hint,
    // What fits beside an item would be another run for each.
    maxTokens: { ...answerOptions.maxTokens, default: '1024' },
    system: answerOptions.system,
    seed: { ...samplingOptions.seed, help: 'of the items', default: '0' },
    shard: text({ value: 'I/N', help: 'only every N-th item, from the I-th on; policies takes all folders' }),
    ...modelOptions,
    parallel: { ...modelOptions.parallel, help: 'items at once; 1 gives the same traces to the token every time' },
    ...loadOptions,
    branches: integer(1, {
      value: 'N',
      help: 'answers at once, beside the thinking that goes on',
      default: 'as --parallel, at least 2',
    }),
  },
  async run(given) {
    const { task, rest: options } = withoutTask(given)
    const { output, seed } = options
    const files = ['run.json', TRACE_FILE].map((name) => join(output, name))
    await checkDistinct(files, filesRead(task, options))
    let done = 0
    const traced = await runInterruptible(
      async ({ signal, show }) => {
        const pulling = { download: task.download, signal, onProgress: showBytes('downloading', show) }
        const items = await selectedTask(task, seed, pulling)
        const model = options.model && (await modelPath(options.model, { ...pulling, onDownload: pulling.onProgress }))
        const onProgress = (progress: TraceProgress) => {
          done = progress.done
          show?.({
            fraction: done / progress.total,
            done: progress.computed,
            text: `${done}/${progress.total} items`,
          })
        }
        return traceTask({ ...options, model, task: items, signal, onProgress })
      },
      () => `: ${done} items are kept in ${output}; the same command goes on from there`,
    )
    if (traced) print(`${traced.done} items are traced in ${output}\n`)
  },
})
