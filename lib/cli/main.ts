#!/usr/bin/env node
/** The command `z1`: runs what its arguments ask for, and turns what goes wrong into a message and an exit code. */
import { Z1Error } from '../base/errors.js'
import { cannotWrite } from '../base/files.js'
import { packageVersion } from '../base/package.js'
import { UsageError } from './args.js'
import { dispatch, root } from './commands.js'
import { printError } from './terminal.js'

async function main(args: string[]): Promise<void> {
  if (args[0] === '--version' || args[0] === '-v') process.stdout.write(`${packageVersion()}\n`)
  else await dispatch(root, args)
}

/** 2 for misuse, 1 for what went wrong at run time. */
function fail(error: unknown): void {
  const misused = error instanceof UsageError || error instanceof TypeError || error instanceof RangeError
  const message = error instanceof Error ? error.message : String(error)
  const code = error instanceof Z1Error ? ` (${error.code})` : ''
  printError(`z1: ${message}${code}\n`)
  if (error instanceof UsageError && error.help) process.stderr.write(`\n${error.help}`)
  process.exitCode = misused ? 2 : 1
}

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that has seen enough (`z1 ask … | head -1`) is no error, and there is nobody left to tell.
    if (error.code === 'EPIPE') process.exit(0)
    if (stream === process.stdout) fail(cannotWrite('-', error))
    process.exit(1)
  })
}

main(process.argv.slice(2)).catch(fail)
