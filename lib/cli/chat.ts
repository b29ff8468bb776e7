/** `z1 chat`: a conversation with a model, on a terminal or through pipes. */
import { oneLine } from '../base/one-line.js'
import { flag } from './args.js'
import { demonstration } from './ask.js'
import { History, historyFile } from './chat/history.js'
import { chatThroughPipes } from './chat/pipe.js'
import { Session } from './chat/session.js'
import { chatOnTerminal } from './chat/terminal.js'
import { errorColors } from './colors.js'
import { defineCommand } from './command.js'
import {
  answerOptions,
  conversationOptions,
  loadOf,
  loadOptions,
  modelOptions,
  readingOptions,
  sampledOptions,
  speculationOption,
} from './groups.js'
import { templateOf, templateOptions } from './template.js'
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
    ...conversationOptions,
    ...model,
    download: flag({ help: 'download the model that --model names, if it was not pulled' }),
    ...readingOptions,
    ...loadOptions,
    ...sampledOptions,
    speculation: speculationOption,
    ...templateOptions,
    history: flag({ name: 'no-history', means: false, help: 'keep no file of the lines that are typed' }),
  },
  async run(given) {
    const { load, rest } = loadOf(given)
    const { download, history, chatTemplate, templateVariable, ...options } = rest
    const template = await templateOf({ chatTemplate, templateVariable })
    const reason = { ...options, loops: options.loops ?? true, ...template }
    const isOnTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true
    if (load.model === undefined && isOnTerminal) process.stderr.write(`${errorColors.dim(demonstration())}\n`)
    await using session = await Session.start({ ...load, download }, reason)
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
