/** `z1 doctor`: Node, the addon, every engine candidate and its fate, the devices, and models that would fit. */
import os from 'node:os'
import { addonInfo, openEngine } from '../native/engine.js'
import { defaultThreads } from '../native/threads.js'
import { checkLoadOptions } from '../reason/options.js'
import { colors } from './colors.js'
import { defineCommand } from './command.js'
import { modelOptions } from './groups.js'
import { CONTEXT, fits, machineMemory, memoryFor, SUGGESTIONS } from './memory.js'
import { bytes, table } from './table.js'
import { print, visible } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 doctor [--engine NAME]',
  operands: { min: 0, max: 0, expected: 'no arguments' },
  options: { engine: modelOptions.engine },
  async run(options) {
    const { engine } = checkLoadOptions(options)
    printMachine()
    printModels(await printEngines(engine))
  },
})

function printMachine(): void {
  const { release, llamaVersion, ggmlVersion } = addonInfo()
  process.stdout.write(
    table([
      ['node', `${process.version}${process.versions.electron ? `, Electron ${process.versions.electron}` : ''}`],
      ['platform', `${process.platform}-${process.arch}, ${os.release()}`],
      ['processor', `${os.cpus()[0]?.model.trim() ?? 'unknown'}, ${defaultThreads()} threads by default`],
      ['memory', `${bytes(os.freemem())} free of ${bytes(os.totalmem())}`],
      ['addon', `for llama.cpp ${release} (${llamaVersion}, ggml ${ggmlVersion})`],
    ]),
  )
}

/** Gives the bytes of memory of the devices that are GPUs with memory of their own. */
async function printEngines(choice: string): Promise<number> {
  // Fails, after all candidates, when none works: then its message has each one's reason.
  const { engine, candidates } = await openEngine(choice)
  process.stdout.write('\nengines\n')
  for (const { name, source, refused, taken } of candidates) {
    const fate = taken ? colors.green('taken') : refused === null ? colors.dim('not needed') : colors.yellow(refused)
    process.stdout.write(`  ${name} (${visible(source)}): ${fate}\n`)
  }
  print(`\ndevices of ${engine.directory}\n`)
  for (const { name, description, type, memoryFree, memoryTotal } of engine.devices) {
    print(`  ${name}: ${description}, ${type}, ${bytes(memoryFree)} free of ${bytes(memoryTotal)}\n`)
  }
  for (const { file, reason } of engine.refused) {
    process.stdout.write(`  ${colors.yellow(`${file} was not loaded: ${reason}`)}\n`)
  }
  return engine.devices.filter(({ type }) => type === 'gpu').reduce((sum, { memoryTotal }) => sum + memoryTotal, 0)
}

/** Which models would fit, before any is downloaded. */
function printModels(gpuMemory: number): void {
  const memory = machineMemory()
  process.stdout.write(`\nmodels for z1 pull, with ${CONTEXT} tokens of context\n`)
  for (const { name, size, kvBytesPerToken } of SUGGESTIONS) {
    const needed = memoryFor(size, kvBytesPerToken, CONTEXT)
    const place = fits(needed, gpuMemory) ? 'on the GPU' : 'in memory'
    const fate = fits(needed, memory + gpuMemory) ? colors.green(`fits ${place}`) : colors.yellow('does not fit')
    process.stdout.write(`  ${name}: ${bytes(needed)}, ${fate}\n`)
  }
}
