/** `z1 ask --samples`: the options, and how the result and its vote are shown. */
import type { ReasonResult, Vote } from '../reason/result.js'
import { flag, integer } from './args.js'
import { colors, errorColors } from './colors.js'
import { print } from './terminal.js'

export const sampleOptions = {
  samples: integer(1, {
    value: 'N',
    help: 'N responses to the question, and the one whose answer most of them give; at --temperature model, or 0.8',
    default: 'one response',
  }),
  stopEarly: flag({ help: 'with --samples, end the rest when the vote can no longer change' }),
}

/** The response on standard output, and how it was chosen on standard error. */
export function showSamples({ reasoning, hint, tokens, text, samples = [], vote }: ReasonResult): void {
  if (process.stdout.isTTY) {
    const answer = text.slice(reasoning.length + hint.length)
    const isThinking = hint !== '' || tokens.answer.length > 0
    process.stdout.write(
      `${(isThinking ? colors.dim : colors.bold)(reasoning)}${colors.cyan(hint)}${colors.bold(answer)}\n`,
    )
  } else {
    print(`${text}\n`)
  }
  process.stderr.write(`${errorColors.dim(`⟨${describeVote(vote as Vote, samples.length)}⟩`)}\n`)
}

function describeVote({ answers }: Vote, count: number): string {
  if (answers.length === 0) return `none of ${count} samples states an answer`
  const shown = answers.map(({ answer, samples }) => `${samples.length} × ${shorten(answer)}`)
  return `${count} samples: ${shown.join(', ')}`
}

function shorten(answer: unknown): string {
  const text = (typeof answer === 'string' ? answer : JSON.stringify(answer)).replace(/\s+/g, ' ')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
