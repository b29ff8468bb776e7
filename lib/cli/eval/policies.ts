/** `z1 eval policies`: how the thinking might have ended, read off traces. */
import { basename, dirname } from 'node:path'
import { tryPolicies } from '../../eval/trace/policies.js'
import { TRACE_FILE } from '../../eval/trace/run.js'
import { reportOfPolicies } from '../../eval/trace/table.js'
import { flag, list, repeated } from '../args.js'
import { defineCommand } from '../command.js'
import { print } from '../terminal.js'

export const command = defineCommand({
  usage: 'z1 eval policies [--policy NAME+NAME=VALUE…]… [--windows W,…] [--json] DIR…',
  about: 'DIR: the folder of `z1 eval trace`, or those of its shards.',
  operands: { min: 1, max: Infinity, expected: 'the folders of traces' },
  options: {
    policy: repeated({
      value: 'NAME',
      help: 'cut, or loops, landing, stated, end, margin=NATS, probe=P, oracle, with + between them',
      default: 'each of them, and some together',
    }),
    windows: list({
      value: 'W,…',
      help: 'multiples of --every of the traces, or their own window',
      default: '0, doubled from --every on, the window of the traces',
    }),
    json: flag({ help: 'print the figures as JSON' }),
  },
  async run({ policy, windows, json }, operands) {
    const directories = operands.map((path) => (basename(path) === TRACE_FILE ? dirname(path) : path))
    const table = await tryPolicies(directories, { policies: policy, windows })
    print(json ? `${JSON.stringify(table, null, 2)}\n` : `${reportOfPolicies(table)}\n`)
  },
})
