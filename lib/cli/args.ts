/** Reading a command's arguments. */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** A command was called in a way it has no meaning for. */
export class Misuse extends Error {
  constructor(
    message: string,
    readonly usage?: string,
  ) {
    super(message)
  }
}

type Options = NonNullable<ParseArgsConfig['options']>
type Config<T extends Options> = { args: string[]; options: T; allowPositionals: true }

/**
 * The options and positional arguments of a command; prints its usage and gives null for --help.
 * @throws {Misuse} for unknown options and missing values.
 */
export function readArgs<T extends Options>(
  args: string[],
  options: T,
  usage: string,
): ReturnType<typeof parseArgs<Config<T>>> | null {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(usage)
    return null
  }
  try {
    return parseArgs<Config<T>>({ args, options, allowPositionals: true })
  } catch (error) {
    // Node's second sentence tells how to pass positional arguments that begin with a dash.
    throw new Misuse((error as Error).message.split('. ')[0] as string, usage)
  }
}

/** A number in an option's value. @throws {Misuse} */
export function numberOf(value: string | undefined, option: string): number | undefined {
  if (value === undefined) return undefined
  const number = value.trim() === '' ? NaN : Number(value)
  if (Number.isNaN(number)) throw new Misuse(`Expected a number for --${option} but received '${value}'`)
  return number
}

/** A window: a number, or `inf`. @throws {Misuse} */
export function windowOf(value: string | undefined): number | undefined {
  return value === 'inf' || value === 'Infinity' ? Infinity : numberOf(value, 'window')
}
