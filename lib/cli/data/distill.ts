/** `z1 data distill`: trajectories by a teacher. */
import { distill } from '../../data/distill.js'
import { flag, integer, oneOf } from '../args.js'
import { defineCommand } from '../command.js'
import { answerOptions, inputFiles, modelOptions, outputOptions, samplingOptions, tokenizerOption } from '../groups.js'
import { showFraction } from '../progress.js'
import { keyFromEnvironment, remoteOption } from '../remote.js'
import { writeRecords } from './run.js'

export const command = defineCommand({
  usage: 'z1 data distill [options] FILE…      (questions: rows with a column question)',
  operands: inputFiles,
  options: {
    ...modelOptions,
    model: { ...modelOptions.model, help: "GGUF file of the teacher; with --remote, the model's name there" },
    ...remoteOption,
    limit: integer(1, { value: 'N', help: 'tokens of a trajectory, which is cut there', default: '8192' }),
    contextSize: {
      ...modelOptions.contextSize,
      help: 'tokens of question and trajectory',
      default: 'limit + 2048, at most what the model knows',
    },
    parallel: { ...modelOptions.parallel, default: '4' },
    system: answerOptions.system,
    tags: { ...answerOptions.tags, help: 'ban: no think tags; keep: think between them, then take them out' },
    temperature: samplingOptions.temperature,
    topP: { ...samplingOptions.topP, default: "the teacher's" },
    seed: { ...samplingOptions.seed, help: 'of the first question, each has its own', default: '0' },
    whole: flag({ help: 'leave out what reached the limit' }),
    check: flag({ help: "leave out what does not end with the row's answer" }),
    samples: integer(1, { value: 'N', help: 'trajectories of each question, of which one is kept', default: '1' }),
    keep: oneOf(['shortest', 'longest', 'pass-rate'], {
      value: 'NAME',
      help: 'of several: shortest, longest, or pass-rate: the shortest where at least half are right, else the longest',
      default: 'shortest',
    }),
    tokenizer: { ...tokenizerOption, default: "the teacher's own count" },
    ...outputOptions,
  },
  async run({ output, force, json, engine, gpuLayers, threads, remote: server, ...options }, inputs) {
    const key = keyFromEnvironment()
    await writeRecords({ output, force, json }, (frame, show) => {
      const load = { engine, gpuLayers, threads, onProgress: showFraction('loading', show) }
      return distill({ ...options, ...frame, inputs, server, key, load })
    })
  },
})
