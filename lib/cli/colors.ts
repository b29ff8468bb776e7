/** Colours for a terminal. A pipe gets none: picocolors alone would paint it where CI is set, and on Windows. */
import pc from 'picocolors'

export const colors = pc.createColors(pc.isColorSupported && process.stdout.isTTY === true)
