/** `npm run demo`: the embedded model answers one question twice, with its whole window and cut short. */
import { Z1 } from '../reason/z1.js'
import { show } from './ask.js'
import { colors } from './colors.js'
import { endWithOutput, printError } from './terminal.js'

const QUESTION = "How many r's are in strawberry?"

endWithOutput(({ message }) => printError(`demo: ${message}\n`))

await using z1 = await Z1.load()
for (const [title, thinkingWindow] of [
  ['the whole window: the model thinks until it is done', undefined],
  ['a window of 24 tokens: the hint is appended, and the model answers from what it has', 24],
] as const) {
  process.stdout.write(`${colors.underline(title)}\n${QUESTION}\n\n`)
  const stream = z1.stream(QUESTION, { thinkingWindow })
  await show(stream)
  const { usage, ended, finalAnswer } = await stream.result
  process.stdout.write(
    `\n${colors.dim(`${usage.thinkingTokens} thinking tokens, ended: ${ended}, final answer: ${finalAnswer}`)}\n\n`,
  )
}
