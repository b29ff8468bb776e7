/** `z1 list`: the models and benchmarks in the Hugging Face cache. */
import { listCached } from '../hub/cached.js'
import { cacheFolder } from '../hub/environment.js'
import { flag } from './args.js'
import { defineCommand } from './command.js'
import { bytes } from './table.js'
import { print, printError } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 list [--json]',
  operands: { min: 0, max: 0, expected: 'no arguments' },
  options: { json: flag({ help: 'print it as JSON, with paths' }) },
  async run({ json }) {
    const found = await listCached()
    if (json) {
      print(`${JSON.stringify(found, null, 2)}\n`)
      return
    }
    if (found.length === 0) {
      printError(`There are no models in ${cacheFolder()}: z1 pull user/repo:Q4_K_M downloads one\n`)
      return
    }
    const rows = found.map(({ name, size, modified }) => [name, bytes(size), modified.toISOString().slice(0, 10)])
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] as string).length))) as [
      number,
      number,
    ]
    for (const [name = '', size = '', day = ''] of rows) {
      print(`${name.padEnd(widths[0])}  ${size.padStart(widths[1])}  ${day}\n`)
    }
  },
})
