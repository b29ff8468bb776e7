/**
 * Where the commands write. What others wrote (a model, a file's names, a template) may hold sequences that a terminal
 * obeys: there they become visible. A pipe or a file gets every byte as it is.
 */
import { cannotWrite } from '../base/files.js'

/** Controls but newline and tab, the eight-bit ones too, and marks that change the direction of what stands around them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** Text as it may be written to a stream. */
export function visible(text: string, stream: { isTTY?: boolean } = process.stdout): string {
  if (!stream.isTTY) return text
  return text.replace(OBEYED, (character) => {
    const code = character.charCodeAt(0)
    // Unicode's pictures of controls.
    if (code < 0x20) return String.fromCharCode(0x2400 + code)
    return code === 0x7f ? '\u2421' : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** Writes to standard output. */
export function print(text: string): void {
  process.stdout.write(visible(text))
}

/** Writes to standard error. */
export function printError(text: string): void {
  process.stderr.write(visible(text, process.stderr))
}

/** Ends the process when nothing more can be written: quietly where the reader has gone, else with what `fail` tells of it. */
export function endWithOutput(fail: (error: Error) => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // A reader that has seen enough (`z1 ask … | head -1`) is no error, and there is nobody left to tell.
      if (error.code === 'EPIPE') process.exit(0)
      if (stream === process.stdout) fail(cannotWrite('-', error))
      process.exit(1)
    })
  }
}
