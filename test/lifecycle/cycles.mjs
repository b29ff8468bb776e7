// Loads a model, uses it and disposes of it, again and again. Prints, as JSON, what the process holds in each cycle while
// the model is loaded and once it is gone.
//
//   node cycles.mjs MODEL COUNT
import { readdirSync, readFileSync } from 'node:fs'
import { Z1 } from '../../dist/index.js'

const [model, count] = process.argv.slice(2)

function holdings() {
  return {
    rss: process.memoryUsage.rss(),
    threads: readdirSync('/proc/self/task').length,
    mapped: readFileSync('/proc/self/maps', 'utf8').includes(model),
  }
}

const cycles = []
for (let i = 0; i < Number(count); i++) {
  const z1 = await Z1.load({ model, threads: 1, contextSize: 512 })
  // Reads every weight, so that all of the file is in memory.
  await z1.reason('Read', { template: false, thinkingWindow: 1, maxTokens: 1 })
  const loaded = holdings()
  await z1.dispose()
  cycles.push({ loaded, gone: holdings() })
}
process.stdout.write(JSON.stringify(cycles))
