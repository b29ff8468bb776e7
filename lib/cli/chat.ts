/** `z1 chat`: a conversation with a model, on a terminal or through pipes. */
import { oneLine } from '../base/one-line.js'
import { LOAD_OPTIONS } from '../reason/options.js'
import { flag, integer, numberOr, repeated, text } from './args.js'
import { demonstration } from './ask.js'
import { History, historyFile } from './chat/history.js'
import { chatThroughPipes } from './chat/pipe.js'
import { Session } from './chat/session.js'
import { chatOnTerminal } from './chat/terminal.js'
import { errorColors } from './colors.js'
import { defineCommand } from './command.js'
import { readFileAs } from './files.js'
import { answerOptions, modelOptions, samplingOptions } from './groups.js'
import { readVariables } from './template.js'
import { printError } from './terminal.js'

// A conversation is no raw prompt, and its requests run one after the other.
const { template: _raw, ...thinking } = answerOptions
const { parallel: _parallel, ...model } = modelOptions

export const command = defineCommand({
  usage: 'z1 chat [options]',
  about: `  On a terminal: Enter while the model thinks has it answer now, Ctrl-C stops
  the reply, twice leaves, a line that ends in a backslash goes on in the next
  one, /help lists commands. From a pipe: each line is a question or a command.`,
  operands: { min: 0, max: 0, expected: 'no arguments' },
  options: {
    ...thinking,
    ...model,
    download: flag({ help: 'download the model that --model names, if it was not pulled' }),
    batchSize: integer(1, {
      value: 'N',
      help: 'tokens that are decoded at once, at most',
      default: String(LOAD_OPTIONS.batchSize.default),
    }),
    mmap: flag({
      name: 'no-mmap',
      means: false,
      help: 'read all of the model into memory, instead of mapping its file',
    }),
    ...samplingOptions,
    temperature: numberOr('model', {
      value: 'T',
      help: "0 is greedy; model: the sampling that the model's file recommends",
      default: '0',
    }),
    chatTemplate: text({ value: 'FILE', help: "chat template in Jinja, in place of the model's" }),
    templateVariable: repeated({
      value: 'NAME=VALUE',
      help: 'variable of the template: JSON, or else a text; may be given more than once',
    }),
    history: flag({ name: 'no-history', means: false, help: 'keep no file of the lines that are typed' }),
  },
  async run(given) {
    const { model, download, engine, gpuLayers, contextSize, batchSize, threads, mmap, history, ...rest } = given
    const { chatTemplate: file, templateVariable, ...options } = rest
    const reason = {
      ...options,
      loops: options.loops ?? true,
      chatTemplate: file === undefined ? undefined : await readFileAs('a chat template', file),
      templateVariables: readVariables(templateVariable),
    }
    const isOnTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
    if (model === undefined && isOnTerminal) process.stderr.write(`${errorColors.dim(demonstration())}\n`)
    const load = { model, download, engine, gpuLayers, contextSize, batchSize, threads, mmap }
    await using session = await Session.start(load, reason)
    if (isOnTerminal) await chatOnTerminal(session, await openHistory(history === false ? null : historyFile()))
    else await chatThroughPipes(session, process.stdin)
  },
})

/** A chat without its history is better than none. */
async function openHistory(path: string | null): Promise<History> {
  try {
    return await History.open(path)
  } catch (error) {
    printError(`z1: The history is not kept: ${oneLine((error as Error).message)}\n`)
    return History.open(null)
  }
}
