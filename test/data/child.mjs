/** Runs one function of the built library in a process that may be killed in the middle of it. Prints the report. */
import { clean, distill, generateFile, importRecords, select } from '../../dist/data/index.js'

const { run, options, waitAt = -1, waitFor = 1100, killAt = -1 } = JSON.parse(process.argv[2])

const commands = { clean, distill, generateFile, importRecords, select }
const report = await commands[run]({
  ...options,
  onProgress: ({ read }) => {
    // The next row is then due for a checkpoint, and those after it are not.
    if (read === waitAt) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitFor)
    if (read === killAt) process.kill(process.pid, 'SIGKILL')
  },
})
process.stdout.write(JSON.stringify({ report, peak: process.resourceUsage().maxRSS / 1024 }))
