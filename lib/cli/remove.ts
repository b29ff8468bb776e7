/** `z1 remove`: models and benchmarks out of the Hugging Face cache. */
import { removeCached } from '../hub/cached.js'
import { defineCommand } from './command.js'
import { bytes } from './table.js'
import { print } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 remove NAME…',
  about: '  NAME is one that z1 list shows. Other files of its repository stay.',
  operands: { min: 1, max: Infinity, expected: 'the name of a model that z1 list shows' },
  options: {},
  async run(_, names) {
    for (const name of names) print(`${name}: ${bytes(await removeCached(name))} freed\n`)
  },
})
