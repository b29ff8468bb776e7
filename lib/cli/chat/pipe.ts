/** A chat whose input is not a terminal: each line is an input, the replies are plain text, and the first failure ends it. */
import { decodeText } from '../../base/text.js'
import { UsageError } from '../args.js'
import { show } from '../ask.js'
import { printError } from '../terminal.js'
import { runChatCommand, type Surroundings } from './commands.js'
import type { Follow } from './conversation.js'
import { InputLines, parseInput } from './input.js'
import type { Session } from './session.js'

/** @throws what a question or a command throws. */
export async function chatThroughPipes(session: Session, input: AsyncIterable<Buffer>): Promise<void> {
  const around = surroundings()
  for await (const text of inputsOf(input)) {
    const parsed = parseInput(text)
    if (!parsed) continue
    if ('command' in parsed) {
      if (await runChatCommand(session, parsed.command, parsed.argument, around)) return
    } else await around.reply((follow, signal) => session.ask(parsed.question, follow, signal))
    if (process.exitCode === INTERRUPTED) return
  }
}

/** The exit code of what Ctrl-C has ended. */
const INTERRUPTED = 130

function surroundings(): Surroundings {
  return {
    // Standard output has the replies and nothing else.
    tell: (text) => printError(`${text}\n`),
    async reply(request) {
      let interrupt = () => {}
      const follow: Follow = async (stream) => {
        interrupt = () => {
          process.exitCode = INTERRUPTED
          stream.stop()
        }
        // The first one ends the reply and keeps what there is, the second one the process.
        process.once('SIGINT', interrupt)
        await show(stream, false)
      }
      try {
        await request(follow, new AbortController().signal)
      } finally {
        process.off('SIGINT', interrupt)
      }
    },
    interruptible: (work) => work(new AbortController().signal),
  }
}

/** Lines as inputs. @throws {UsageError} for what is not text. */
async function* inputsOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const lines = new InputLines()
  for await (const line of linesOf(chunks)) {
    const input = lines.add(line)
    if (input !== null) yield input
  }
  const rest = lines.end()
  if (rest !== null) yield rest
}

async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = []
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield decodeLine([...begun, chunk.subarray(from, at)])
      begun = []
      from = at + 1
    }
    begun.push(chunk.subarray(from))
  }
  // An input may lack the line feed at its end.
  yield decodeLine(begun)
}

function decodeLine(parts: Buffer[]): string {
  try {
    return decodeText(Buffer.concat(parts)).replace(/\r$/, '')
  } catch (error) {
    throw new UsageError(`standard input: ${(error as Error).message}`)
  }
}
