/** A chat on a terminal: reads, runs and shows until the user leaves. A failure is told, and the chat goes on. */
import { Z1Error } from '../../base/errors.js'
import { oneLine } from '../../base/one-line.js'
import { show } from '../ask.js'
import { colors } from '../colors.js'
import { COMMANDS, runChatCommand, type Surroundings } from './commands.js'
import type { History } from './history.js'
import { parseInput } from './input.js'
import { Keyboard } from './keyboard.js'
import type { Session } from './session.js'
import { showWindow, statusOf } from './status.js'

export async function chatOnTerminal(session: Session, history: History): Promise<void> {
  using keyboard = new Keyboard(process.stdin, process.stdout, {
    entries: () => history.entries,
    add: remembering(history),
    complete,
  })
  const around = surroundings(session, keyboard)
  around.tell(
    `${session.modelName}, window: ${showWindow(session.window)}\nEnter while it thinks: answer now. Ctrl-C: stop. /help: more`,
  )
  for (let text = await keyboard.read(); text !== null; text = await keyboard.read()) {
    const input = parseInput(text)
    if (!input) continue
    try {
      if ('command' in input) {
        if (await runChatCommand(session, input.command, input.argument, around)) return
      } else await around.reply((follow, signal) => session.ask(input.question, follow, signal))
    } catch (error) {
      if (keyboard.left) return
      tellFailure(error)
    }
  }
}

/** What goes through colors is visible already. */
function write(text: string): void {
  process.stdout.write(text)
}

function surroundings(session: Session, keyboard: Keyboard): Surroundings {
  const tell = (text: string) => write(`${colors.dim(text)}\n`)
  return {
    tell,
    async reply(request) {
      const left = new AbortController()
      let answerNow = () => {}
      let stop = () => {}
      let isShown = false
      const keys = {
        enter: () => answerNow(),
        interrupt: () => stop(),
        leave: () => left.abort(),
      }
      await keyboard.during(keys, async () => {
        try {
          const result = await request(async (stream) => {
            answerNow = () => stream.endThinking()
            stop = () => stream.stop()
            isShown = true
            await show(stream, true)
            isShown = false
          }, left.signal)
          tell(statusOf(result, session.window, session.model.contextSize))
        } finally {
          // What failed may have begun a line.
          if (isShown) write('\n')
        }
      })
    },
    interruptible(work) {
      const controller = new AbortController()
      const end = () => controller.abort()
      return keyboard.during({ enter() {}, interrupt: end, leave: end }, () => work(controller.signal))
    },
  }
}

/** The file may become unwritable meanwhile: that is told once. */
function remembering(history: History): (line: string) => void {
  let failed = false
  return (line) => {
    history.add(line).catch((error) => {
      if (!failed) write(colors.yellow(`\nhistory: ${oneLine((error as Error).message)}\n`))
      failed = true
    })
  }
}

function complete(line: string): string[] {
  if (!/^\/\w*$/.test(line)) return []
  return Object.keys(COMMANDS)
    .map((name) => `/${name}`)
    .filter((name) => name.startsWith(line))
}

function tellFailure(error: unknown): void {
  if (error instanceof DOMException && error.name === 'AbortError') {
    write(`${colors.yellow('interrupted')}\n`)
    return
  }
  const code = error instanceof Z1Error ? ` (${error.code})` : ''
  const message =
    error instanceof Z1Error ? error.message : oneLine(error instanceof Error ? error.message : String(error))
  write(`${colors.yellow(message + code)}\n`)
  if (error instanceof Z1Error && error.code === 'CONTEXT_TOO_SMALL') {
    write(
      `${colors.dim('/new begins a new conversation, a smaller /window takes less of the context, --overflow shift drops old turns')}\n`,
    )
  }
}
