// npm run bench -- <command>: compares z1-native with a raw loop on llama.cpp's C API, with node-llama-cpp and with llama.cpp's
// own programs. Each command prints one table for each model; README.md says what each measures, and on which libraries.

import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { arch, argv, platform, versions } from 'node:process'
import { parseArgs } from 'node:util'
import { ScriptError, script } from '../scripts/common.mjs'
import { abort } from './abort.mjs'
import { batching } from './batching.mjs'
import { busy } from './busy.mjs'
import { curve } from './curve.mjs'
import { cut } from './cut.mjs'
import { figureOf } from './figure.mjs'
import { load } from './load.mjs'
import { mainThread } from './main-thread.mjs'
import { compared, print, printed } from './measure.mjs'
import { newcomer } from './newcomer.mjs'
import { samples } from './samples.mjs'
import { sampling } from './sampling.mjs'
import { serving } from './serving.mjs'
import { models, setUp } from './setup.mjs'
import { size } from './size.mjs'
import { speculation } from './speculation.mjs'
import { speed } from './speed.mjs'
import { structured } from './structured.mjs'
import { turns } from './turns.mjs'

const commands = {
  ...{ speed, 'main-thread': mainThread, cut, abort, load, sampling, size },
  ...{ curve, samples, busy, speculation, batching, turns, newcomer, structured, serving },
}

/** Those that run on a file of the caller's. */
const OF_FILE = ['curve', 'samples', 'busy', 'speculation', 'batching', 'turns', 'newcomer', 'structured', 'serving']
const COMPARING = [
  'speed',
  'batching',
  'turns',
  'sampling',
  'main-thread',
  'load',
  'busy',
  'samples',
  'structured',
  'speculation',
  'curve',
]

const usage = `Usage: npm run bench -- <${[...Object.keys(commands), 'all'].join(' | ')}> [options]

  --model small|large   one model only
  --rounds N            how often each side runs, in turn
  --tokens N            tokens of a run, where a run generates
  --threads N           threads of the engine (default 2)

curve: --data FILE --model FILE (GGUF) [--items 32] [--parallel 4] [--branches 4] [--windows 64,128,256,512,1024]
       [--kv-cache auto|separate|shared] [--ban TOKEN,…]: tokens that are never drawn, such as the model's end;
       --tokens is the length of an answer (default 64)
samples: --model FILE (GGUF) [--samples 8] [--prompt 512] [--ban TOKEN,…]; --tokens is the length of a sample (default 64)
busy: --model FILE (GGUF); --tokens is the length of a run (default 96)
speculation: --model FILE (GGUF); --tokens is the most of a response (default 160)
batching: --model FILE (GGUF) [--parallel N] [--prompt 64]: as many only; --tokens is what each generates (default 64)
turns: --model FILE (GGUF) [--prompt 64]; as many threads as there are cores; --tokens is what each request generates (default 64)
newcomer: --model FILE (GGUF) [--prompt 1500]; --tokens is the length of the stream (default 256)
structured: --model FILE (GGUF); --tokens is the most of an answer (default 160)
serving: [--model FILE (GGUF)] [--clients 64] [--parallel 4] [--seconds 300]; --tokens is the most of a response (default 48)
all: --model FILE (GGUF) --output FOLDER [--data FILE]: those that compare, with tables.txt and ratios.svg`

function count(options, name, fallback) {
  if (options[name] === undefined) return fallback
  const value = Number(options[name])
  if (!Number.isInteger(value) || value < 1) throw new ScriptError(`--${name} is an integer ≥ 1.\n\n${usage}`)
  return value
}

/** Every benchmark that compares, and its tables and a figure of its ratios in files. */
async function all(options, output) {
  if (!options.model || !output) throw new ScriptError('all needs --model FILE and --output FOLDER.')
  mkdirSync(output, { recursive: true })
  for (const name of COMPARING) {
    if (name === 'curve' && !options.data) continue
    const { model, names, ...shared } = options
    await commands[name]({ ...shared, ...(OF_FILE.includes(name) ? { model } : { names }) })
    // After each: what was measured stays when a later one fails.
    writeFileSync(join(output, 'tables.txt'), `${printed.join('\n')}\n`)
    writeFileSync(join(output, 'ratios.svg'), figureOf(compared))
  }
}

await script(async () => {
  const { values, positionals } = parseArgs({
    args: argv.slice(2),
    allowPositionals: true,
    options: {
      model: { type: 'string' },
      rounds: { type: 'string' },
      tokens: { type: 'string' },
      threads: { type: 'string' },
      data: { type: 'string' },
      items: { type: 'string' },
      parallel: { type: 'string' },
      branches: { type: 'string' },
      windows: { type: 'string' },
      ban: { type: 'string' },
      'kv-cache': { type: 'string' },
      samples: { type: 'string' },
      prompt: { type: 'string' },
      output: { type: 'string' },
      clients: { type: 'string' },
      seconds: { type: 'string' },
    },
  })
  const [name, ...more] = positionals
  if ((name !== 'all' && !Object.hasOwn(commands, name ?? '')) || more.length > 0) throw new ScriptError(usage)
  const ofFile = name === 'all' || OF_FILE.includes(name)
  if (values.model && !ofFile && !Object.hasOwn(models, values.model)) throw new ScriptError(usage)

  const options = {
    ...(ofFile && {
      ...{ data: values.data, model: values.model, kvCache: values['kv-cache'] },
      ...{ items: count(values, 'items'), parallel: count(values, 'parallel'), branches: count(values, 'branches') },
      ...{ samples: count(values, 'samples'), promptTokens: count(values, 'prompt') },
      ...{ clients: count(values, 'clients'), seconds: count(values, 'seconds') },
      banned: values.ban?.split(','),
      windows: values.windows?.split(',').map((window) => count({ windows: window }, 'windows')),
    }),
    names: values.model && !ofFile ? [values.model] : Object.keys(models),
    rounds: count(values, 'rounds'),
    tokens: count(values, 'tokens'),
    threads: count(values, 'threads', 2),
  }

  const [before] = loadavg()
  if (name === 'all' || !ofFile) setUp()
  print(
    `${platform}-${arch}, ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, ` +
      `Node ${versions.node}, load ${before.toFixed(2)} before the start${before > 0.5 ? ': too busy to measure' : ''}`,
  )
  if (name === 'all') await all(options, values.output)
  else await commands[name](options)
})
