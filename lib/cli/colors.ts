/** Colors on standard output. Whether it gets any is decided here: Node 20's styleText does not look at the stream. */
import { styleText } from 'node:util'
import { visible } from './terminal.js'

// A pipe gets none, even with FORCE_COLOR. On a terminal hasColors() reads NO_COLOR, FORCE_COLOR and TERM.
const colorful = process.stdout.isTTY === true && process.stdout.hasColors()

export const colors = {
  bold: painter('bold'),
  cyan: painter('cyan'),
  dim: painter('dim'),
  green: painter('green'),
  underline: painter('underline'),
  yellow: painter('yellow'),
}

function painter(style: Parameters<typeof styleText>[0]): (text: string) => string {
  return (text) => (colorful ? styleText(style, visible(text), { validateStream: false }) : visible(text))
}
