/** A command: its table of options, what it does with them, and its help. Knows no command by name. */
import { missing, type Option, optionName, readArgs, type Table, UsageError, type Values } from './args.js'

export interface Command<T extends Table = Table> {
  /** How it is called. */
  usage: string
  /** What more there is to say of its arguments. */
  about?: string
  /** How many arguments it takes beside the options, and the words for them in `Expected …`. */
  operands: { min: number; max: number; expected: string }
  options: T
  run(values: Values<T>, operands: string[]): Promise<void>
}

/** Infers what `run` gets from the table. */
export function defineCommand<T extends Table>(command: Command<T>): Command {
  return command
}

/** Runs a command, or prints its help. @throws {UsageError} */
export async function runCommand(command: Command, args: readonly string[]): Promise<void> {
  const options = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (options.includes('--help') || options.includes('-h')) {
    process.stdout.write(helpOf(command))
    return
  }
  try {
    const { values, operands } = readArgs(args, command.options)
    checkGiven(command, values, operands)
    await command.run(values, operands)
  } catch (error) {
    if (error instanceof UsageError && error.wantsHelp) error.help ??= helpOf(command)
    throw error
  }
}

function checkGiven({ operands: { min, max, expected }, options }: Command, values: Values<Table>, operands: string[]) {
  if (operands.length > max && max === 0) {
    throw new UsageError(`Expected ${expected} but received '${operands[0]}'`, true)
  }
  if (operands.length < min || operands.length > max) throw new UsageError(`Expected ${expected}`, true)
  const absent = missing(options, values)
  if (absent.length > 0) throw new UsageError(`Expected ${absent.join(' and ')}`, true)
}

export function helpOf({ usage, about, options }: Command): string {
  const rows = Object.entries(options).map(([key, option]): [string, string] => [leftOf(key, option), rightOf(option)])
  return [`${usage}\n`, about && `${about}\n`, columns(rows)].filter(Boolean).join('\n')
}

function leftOf(key: string, option: Option<unknown>): string {
  const { short, value, implied } = option
  const shown = value === undefined ? '' : implied === undefined ? ` ${value}` : `[=${value}]`
  return `${short === undefined ? '' : `-${short}, `}${optionName(key, option)}${shown}`
}

function rightOf({ help, default: absence }: Option<unknown>): string {
  // On a line of its own rather than broken.
  const clause = absence === undefined ? '' : `(default: ${absence})`.replaceAll(' ', NO_BREAK)
  return [help, clause].filter(Boolean).join(' ')
}

/** Columns of the terminal that help is laid out for. */
const WIDTH = 80

/** Stands for a space where no line ends, if it can be helped. */
const NO_BREAK = '\u00a0'

/** Two columns, the right one wrapped between words. */
export function columns(rows: readonly [string, string][]): string {
  const left = Math.max(...rows.map(([name]) => name.length))
  const indent = 2 + left + 2
  return rows
    .map(([name, text]) => `  ${name.padEnd(left)}  ${wrap(text, WIDTH - indent).join(`\n${' '.repeat(indent)}`)}`)
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  const words = text.split(' ').flatMap((word) => (word.length <= width ? [word] : word.split(NO_BREAK)))
  for (const word of words) {
    const line = lines.pop()
    if (line === undefined) lines.push(word)
    else if (line.length + 1 + word.length <= width) lines.push(`${line} ${word}`)
    else lines.push(line, word)
  }
  return lines.map((line) => line.replaceAll(NO_BREAK, ' '))
}
