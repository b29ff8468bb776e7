#!/usr/bin/env node
/** The command `z1`: picks the command, and turns what goes wrong into a message and an exit code. */
import { Z1Error } from '../base/errors.js'
import { packageVersion } from '../base/package.js'
import { Misuse } from './args.js'

const HELP = `z1: local reasoning under a shifted thinking window

  z1 ask "question"    answer a question; - reads it from standard input
  z1 inspect FILE      what a GGUF file holds
  z1 doctor            what this machine can run, and why not more
  z1 convert DIR       a Hugging Face checkpoint to GGUF
  z1 quantize IN OUT   a GGUF file to another type
  z1 data …            make, import, clean, select and measure trajectory sets
  z1 eval …            accuracy over thinking windows
  z1 --version

z1 COMMAND --help tells a command's options.
`

/** Each is imported when it is called: `z1 ask` needs nothing of what the others bring. */
const COMMANDS: Record<string, () => Promise<(args: string[]) => Promise<void>>> = {
  ask: async () => (await import('./ask.js')).ask,
  inspect: async () => (await import('./inspect.js')).inspect,
  doctor: async () => (await import('./doctor.js')).doctor,
  convert: async () => (await import('./convert.js')).convert,
  quantize: async () => (await import('./quantize.js')).quantize,
  data: async () => (await import('./data.js')).data,
  eval: async () => (await import('./eval.js')).evalCommand,
}

async function main([name, ...args]: string[]): Promise<void> {
  if (name === undefined) throw new Misuse('Expected a command', HELP)
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP)
    return
  }
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${packageVersion()}\n`)
    return
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!command) throw new Misuse(`Unknown command ${name}`, HELP)
  await (await command())(args)
}

/** 2 for misuse, 1 for what went wrong at run time. */
function fail(error: unknown): void {
  const misused = error instanceof Misuse || error instanceof TypeError || error instanceof RangeError
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Z1Error ? ` (${error.code})` : ''
  process.stderr.write(`z1: ${message}${code}\n`)
  if (error instanceof Misuse && error.usage) process.stderr.write(`\n${error.usage}`)
  process.exitCode = misused ? 2 : 1
}

// A reader that has seen enough (`z1 ask … | head -1`) is no error, and there is nobody left to tell.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}

main(process.argv.slice(2)).catch(fail)
