/** A command that works for a while: its progress on a terminal, and an end that leaves nothing behind. */

interface Work {
  signal: AbortSignal
  onProgress: ((progress: number) => void) | undefined
}

/** Runs `work`; the first Ctrl-C or SIGTERM aborts its signal, the second ends the process. */
export async function untilInterrupted<T>(name: string, work: (options: Work) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const interrupt = () => controller.abort(new Error('Interrupted: nothing was written'))
  const terminal = process.stderr.isTTY
  const onProgress = (progress: number) => process.stderr.write(`\r${name} ${Math.floor(progress * 100)} %`)
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await work({ signal: controller.signal, onProgress: terminal ? onProgress : undefined })
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    if (terminal) process.stderr.write('\r\x1b[K')
  }
}
