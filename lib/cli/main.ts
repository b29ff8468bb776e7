#!/usr/bin/env node
/** The command `z1`: runs what its arguments ask for, and turns what goes wrong into a message and an exit code. */
import { Z1Error } from '../base/errors.js'
import { oneLine } from '../base/one-line.js'
import { packageVersion } from '../base/package.js'
import { findModelsWith } from '../reason/model-name.js'
import { compareAnswersWith } from '../reason/vote.js'
import { UsageError } from './args.js'
import { dispatch, root } from './commands.js'
import { endWithOutput, printError } from './terminal.js'

async function main(args: string[]): Promise<void> {
  if (args[0] === '--version' || args[0] === '-v') process.stdout.write(`${packageVersion()}\n`)
  else await dispatch(root, args)
}

/** 2 for misuse, 1 for what went wrong at run time. */
function fail(error: unknown): void {
  const misused = error instanceof UsageError || error instanceof TypeError || error instanceof RangeError
  const said = error instanceof Error ? error.message : String(error)
  // A Z1Error is in form already, and may have lines of its own.
  const message = error instanceof Z1Error ? said : oneLine(said)
  const code = error instanceof Z1Error ? ` (${error.code})` : ''
  printError(`z1: ${message}${code}\n`)
  if (error instanceof UsageError && error.help) process.stderr.write(`\n${error.help}`)
  process.exitCode = misused ? 2 : 1
}

endWithOutput(fail)
findModelsWith(async (name, options) => (await import('../hub/find-model.js')).findModel(name, options))
compareAnswersWith(async () => (await import('../grading/answers.js')).sameAnswer)
main(process.argv.slice(2)).catch(fail)
