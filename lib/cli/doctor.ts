/** `z1 doctor`: Node, the addon, every engine candidate and its fate, and the devices. */
import os from 'node:os'
import { addonInfo, openEngine } from '../native/engine.js'
import { defaultThreads } from '../native/threads.js'
import { checkLoadOptions } from '../reason/options.js'
import { Misuse, readArgs } from './args.js'
import { colors } from './colors.js'
import { bytes, table } from './table.js'

const USAGE = `z1 doctor [--engine NAME]

  --engine NAME    auto, cpu, cuda, vulkan, metal, or a directory (default: auto)
`

export async function doctor(args: string[]): Promise<void> {
  const parsed = readArgs(args, { engine: { type: 'string' } }, USAGE)
  if (!parsed) return
  if (parsed.positionals.length > 0) throw new Misuse('Expected no arguments', USAGE)

  const { engine: choice } = checkLoadOptions({ engine: parsed.values.engine })
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

  // Fails, after all candidates, when none works: then its message tells each one's reason.
  const { engine, candidates } = await openEngine(choice)
  process.stdout.write('\nengines\n')
  for (const { name, source, refused, taken } of candidates) {
    const fate = taken ? colors.green('taken') : refused === null ? colors.dim('not needed') : colors.yellow(refused)
    process.stdout.write(`  ${name} (${source}): ${fate}\n`)
  }
  process.stdout.write(`\ndevices of ${engine.directory}\n`)
  for (const { name, description, type, memoryFree, memoryTotal } of engine.devices) {
    process.stdout.write(`  ${name}: ${description}, ${type}, ${bytes(memoryFree)} free of ${bytes(memoryTotal)}\n`)
  }
  for (const { file, reason } of engine.refused) {
    process.stdout.write(`  ${colors.yellow(`${file} was not loaded: ${reason}`)}\n`)
  }
}
