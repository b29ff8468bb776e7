/** Colors on a terminal. Whether a stream gets any is decided here: Node 20's styleText does not look at it. */

import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import { visible } from './terminal.js'

export const colors = paintersFor(process.stdout)
export const errorColors = paintersFor(process.stderr)

function paintersFor(stream: WriteStream) {
  // A pipe gets none, even with FORCE_COLOR. On a terminal hasColors() reads NO_COLOR, FORCE_COLOR and TERM.
  const colorful = stream.isTTY === true && stream.hasColors()
  const painter = (style: Parameters<typeof styleText>[0]) => (text: string) => {
    const shown = visible(text, stream)
    return colorful ? styleText(style, shown, { validateStream: false }) : shown
  }
  return {
    bold: painter('bold'),
    cyan: painter('cyan'),
    dim: painter('dim'),
    green: painter('green'),
    underline: painter('underline'),
    yellow: painter('yellow'),
  }
}
