/** `z1 eval merge`: the shards of a run as one. */
import { mergeRuns } from '../../eval/shard.js'
import { required, text } from '../args.js'
import { defineCommand } from '../command.js'
import { print } from '../terminal.js'

export const command = defineCommand({
  usage: 'z1 eval merge --output DIR DIR…      (folders of runs with --shard 1/n to n/n)',
  operands: { min: 1, max: Infinity, expected: 'the folders of at least one run' },
  options: {
    output: required(text({ value: 'DIR', help: 'folder of the whole run, which is not there yet' }), 'a folder'),
  },
  async run({ output }, directories) {
    const responses = await mergeRuns(directories, output)
    print(
      `${responses} responses are in ${output}; z1 eval with the options of the shards, but --shard, reports on them\n`,
    )
  },
})
