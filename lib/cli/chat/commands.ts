/** The commands of a chat, as a table: parsing and help come from it. They change the session and say what they did. */
import { nearestOf } from '../../base/checks.js'
import { PLAIN_HINT } from '../../reason/options.js'
import { UsageError, window } from '../args.js'
import { columns } from '../command.js'
import { table } from '../table.js'
import type { Follow } from './conversation.js'
import { expandHome, loadConversation, saveConversation } from './file.js'
import type { Session } from './session.js'
import { contextTokens, showWindow } from './status.js'

/** What a command needs beside the session. */
export interface Surroundings {
  /** Tells what was done, in lines. */
  tell(text: string): void
  /** Runs a request that may be interrupted, and shows its reply. */
  reply(request: (follow: Follow, signal: AbortSignal) => ReturnType<Session['ask']>): Promise<void>
  /** Runs what may be interrupted. */
  interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void>
}

interface ChatCommand {
  /** What stands behind its name; undefined: nothing may. */
  argument?: string
  help: string
  /** Gives true to end the chat. */
  run(session: Session, argument: string, around: Surroundings): Promise<true | undefined> | true | undefined
}

const windowOption = window({ value: 'N' })

export const COMMANDS: Readonly<Record<string, ChatCommand>> = {
  window: {
    argument: '[N|inf|default]',
    help: 'tokens of thinking before the hint',
    run(session, argument, { tell }) {
      if (argument !== '') {
        const thinkingWindow =
          argument === 'default' ? session.initial.thinkingWindow : windowOption.read([argument], '/window')
        session.set({ thinkingWindow })
      }
      tell(`window: ${showWindow(session.window)}`)
      return undefined
    },
  },
  hint: {
    argument: '[plain|boxed|default|TEXT]',
    help: 'what is appended when the window closes',
    run(session, argument, { tell }) {
      if (argument !== '') session.set({ hint: argument === 'default' ? session.initial.hint : argument })
      const { hint } = session.options
      tell(`hint: ${hint === undefined || hint === PLAIN_HINT ? 'plain' : hint}`)
      return undefined
    },
  },
  system: {
    argument: '[TEXT|none|default]',
    help: 'the system message; the whole prompt is decoded again',
    run(session, argument, { tell }) {
      if (argument === 'none') session.set({ system: undefined })
      else if (argument !== '') session.set({ system: argument === 'default' ? session.initial.system : argument })
      tell(`system message: ${session.options.system ?? 'none'}`)
      return undefined
    },
  },
  model: {
    argument: '[FILE|NAME]',
    help: 'go on with another model, in the same conversation',
    async run(session, argument, { tell, interruptible }) {
      if (argument !== '') await interruptible((signal) => session.useModel(expandHome(argument), signal))
      tell(`model: ${session.modelName}, window: ${showWindow(session.window)}`)
      return undefined
    },
  },
  retry: {
    help: 'ask the last question again, with what was set since',
    async run(session, _argument, { reply }) {
      await reply((follow, signal) => session.retry(follow, signal))
      return undefined
    },
  },
  new: {
    help: 'begin a new conversation',
    run(session, _argument, { tell }) {
      session.conversation.replace([])
      session.last = undefined
      session.file = undefined
      tell('a new conversation')
      return undefined
    },
  },
  save: {
    argument: '[FILE]',
    help: 'write the conversation as JSON',
    async run(session, argument, { tell }) {
      const path = argument === '' ? session.file : expandHome(argument)
      if (path === undefined) throw new UsageError('Expected the name of a file for /save')
      const { messages } = session.conversation
      const { system } = session.options
      await saveConversation(path, session.modelName, { system, messages }, path === session.file)
      session.file = path
      tell(`saved: ${path}, ${messages.length} messages`)
      return undefined
    },
  },
  load: {
    argument: 'FILE',
    help: 'go on with a conversation that was saved',
    async run(session, argument, { tell }) {
      if (argument === '') throw new UsageError('Expected the name of a file for /load')
      const path = expandHome(argument)
      const { system, messages } = await loadConversation(path)
      session.set({ system })
      session.conversation.replace(messages)
      session.last = undefined
      session.file = path
      tell(`loaded: ${path}, ${messages.length} messages`)
      return undefined
    },
  },
  stats: {
    help: 'tokens, rate, context, and what is set',
    run(session, _argument, { tell }) {
      const { last, model, conversation } = session
      const used = last ? `${contextTokens(last)} of ${model.contextSize}` : `of ${model.contextSize}`
      const rows: [string, string][] = [
        ['model', session.modelName],
        ['window', showWindow(session.window)],
        ['messages', String(conversation.messages.length)],
        ['context', `${used} tokens`],
        ...session.totals.rows(),
      ]
      tell(table(rows).trimEnd())
      return undefined
    },
  },
  help: {
    help: 'this list',
    run(_session, _argument, { tell }) {
      tell(chatHelp())
      return undefined
    },
  },
  quit: {
    help: 'leave; so does Ctrl-D',
    run: () => true,
  },
}

const ALIASES: Readonly<Record<string, string>> = { exit: 'quit', '?': 'help' }

/** Gives true to end the chat. @throws {UsageError} for a command that there is not, and what the command throws. */
export async function runChatCommand(
  session: Session,
  name: string,
  argument: string,
  around: Surroundings,
): Promise<true | undefined> {
  const known = ALIASES[name] ?? name
  const command = Object.hasOwn(COMMANDS, known) ? COMMANDS[known] : undefined
  if (!command) {
    const names = Object.keys(COMMANDS)
    const nearest = names.find((each) => name !== '' && each.startsWith(name)) ?? nearestOf(name, names)
    const advice = nearest
      ? `did you mean /${nearest}?`
      : '/help lists them; a question that begins with a slash takes two'
    throw new UsageError(`Unknown command /${name}: ${advice}`)
  }
  if (argument !== '' && command.argument === undefined) {
    throw new UsageError(`Expected nothing after /${known} but received '${argument}'`)
  }
  return command.run(session, argument, around)
}

function chatHelp(): string {
  const rows = Object.entries(COMMANDS).map(([name, { argument, help }]): [string, string] => [
    `/${name}${argument ? ` ${argument}` : ''}`,
    help,
  ])
  return `${columns(rows)}
A line that ends in a backslash goes on in the next one. Enter while the model
thinks: answer now. Ctrl-C stops the reply, twice leaves.`
}
