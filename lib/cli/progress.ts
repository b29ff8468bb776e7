/** A command that works for a while: its progress on a terminal, and an end that leaves nothing behind. */

interface Work {
  signal: AbortSignal
  onProgress: ((progress: number) => void) | undefined
}

/** Runs `work`; null when Ctrl-C or SIGTERM aborted its signal, which is then told. The second one ends the process. */
export async function untilInterrupted<T>(name: string, work: (options: Work) => Promise<T>): Promise<T | null> {
  const controller = new AbortController()
  const interrupt = () => controller.abort()
  const terminal = process.stderr.isTTY
  const clear = () => terminal && process.stderr.write('\r\x1b[K')
  const onProgress = (progress: number) => process.stderr.write(`\r${name} ${Math.floor(progress * 100)} %`)
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    return await work({ signal: controller.signal, onProgress: terminal ? onProgress : undefined })
  } catch (error) {
    if (!controller.signal.aborted || error !== controller.signal.reason) throw error
    clear()
    process.stderr.write('z1: Interrupted: nothing was written\n')
    process.exitCode = 130
    return null
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    clear()
  }
}
