// npm run bench -- <command>: compares z1-native with a raw loop on llama.cpp's C API and with node-llama-cpp, all three on
// the same engine pack. Each command prints one table for each model; README.md says what each measures.

import { availableParallelism, cpus, loadavg } from 'node:os'
import { arch, argv, platform, versions } from 'node:process'
import { parseArgs } from 'node:util'
import { ScriptError, script } from '../scripts/common.mjs'
import { abort } from './abort.mjs'
import { busy } from './busy.mjs'
import { curve } from './curve.mjs'
import { cut } from './cut.mjs'
import { load } from './load.mjs'
import { mainThread } from './main-thread.mjs'
import { samples } from './samples.mjs'
import { sampling } from './sampling.mjs'
import { models, setUp } from './setup.mjs'
import { size } from './size.mjs'
import { speculation } from './speculation.mjs'
import { speed } from './speed.mjs'

const commands = {
  ...{ speed, 'main-thread': mainThread, cut, abort, load, sampling, size, curve, samples, busy, speculation },
}

const usage = `Usage: npm run bench -- <${Object.keys(commands).join(' | ')}> [options]

  --model small|large   one model only
  --rounds N            how often each side runs, in turn
  --tokens N            tokens of a run, where a run generates
  --threads N           threads of the engine (default 2)

curve: --data FILE --model FILE (GGUF) [--items 32] [--parallel 4] [--branches 4] [--windows 64,128,256,512,1024]
       [--kv-cache auto|separate|shared]; --tokens is the length of an answer (default 64)
samples: --model FILE (GGUF) [--samples 8] [--prompt 512]; --tokens is the length of a sample (default 64)
busy: --model FILE (GGUF); --tokens is the length of a run (default 96)
speculation: --model FILE (GGUF); --tokens is the most of a response (default 160)`

function count(options, name, fallback) {
  if (options[name] === undefined) return fallback
  const value = Number(options[name])
  if (!Number.isInteger(value) || value < 1) throw new ScriptError(`--${name} is an integer ≥ 1.\n\n${usage}`)
  return value
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
      'kv-cache': { type: 'string' },
      samples: { type: 'string' },
      prompt: { type: 'string' },
    },
  })
  const [name, ...more] = positionals
  if (!Object.hasOwn(commands, name ?? '') || more.length > 0) throw new ScriptError(usage)
  const ofFile = ['curve', 'samples', 'busy', 'speculation'].includes(name)
  if (values.model && !ofFile && !Object.hasOwn(models, values.model)) throw new ScriptError(usage)

  const options = {
    ...(ofFile && {
      ...{ data: values.data, model: values.model, kvCache: values['kv-cache'] },
      ...{ items: count(values, 'items'), parallel: count(values, 'parallel'), branches: count(values, 'branches') },
      ...{ samples: count(values, 'samples'), promptTokens: count(values, 'prompt') },
      windows: values.windows?.split(',').map((window) => count({ windows: window }, 'windows')),
    }),
    names: values.model ? [values.model] : Object.keys(models),
    rounds: count(values, 'rounds'),
    tokens: count(values, 'tokens'),
    threads: count(values, 'threads', 2),
  }

  const [before] = loadavg()
  if (!ofFile) setUp()
  console.log(
    `${platform}-${arch}, ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} cores, ` +
      `Node ${versions.node}, load ${before.toFixed(2)} before the start${before > 0.5 ? ': too busy to measure' : ''}`,
  )
  await commands[name](options)
})
