/** What a program that is executed may use. Going past any of it ends the program, and nothing else. */
export interface Limits {
  /** Milliseconds from its start. */
  wallMs: number
  /** Seconds of processor time, of each process. */
  cpuSeconds: number
  /** Bytes, of all its processes together; each has as much address space, too. */
  memoryBytes: number
  /** Processes and threads at the same time. */
  processes: number
  /** Bytes that it may write to standard output and to standard error, and that may wait in its channel. */
  outputBytes: number
  /** Bytes of one file. All files together get four times that. */
  fileBytes: number
}

const MIB = 2 ** 20

/** What every benchmark's programs get, but for the time. */
export const BASE_LIMITS = {
  memoryBytes: 4096 * MIB,
  processes: 64,
  outputBytes: 16 * MIB,
  fileBytes: 64 * MIB,
} satisfies Partial<Limits>
