/** Every command by its name. Each is imported when it is called: `z1 ask` needs nothing of what the others bring. */
import { nearestOf } from '../base/checks.js'
import { UsageError } from './args.js'
import { type Command, columns, runCommand } from './command.js'
import { print } from './terminal.js'

interface Entry {
  /** How the help calls it. Default: its name. */
  call?: string
  about: string
  load: (() => Promise<{ command: Command }>) | Group
}

export interface Group {
  commands: Record<string, Entry>
  /** What stands above and below the commands in the help. */
  title: string
  more: string
  /** What it does where no command is named. Its help is the help of the group. */
  itself?: () => Promise<{ command: Command }>
}

const data: Group = {
  title: 'z1 data COMMAND [options] FILE…',
  commands: {
    generate: {
      about: 'problems of graded difficulty with their trajectories',
      load: () => import('./data/generate.js'),
    },
    distill: {
      about: 'trajectories by a teacher: a GGUF model or a server',
      load: () => import('./data/distill.js'),
    },
    import: {
      about: 'other trajectory sets: no delimiters, plain records',
      load: () => import('./data/import.js'),
    },
    clean: {
      about: 'without duplicates, near duplicates, evaluation questions',
      load: () => import('./data/clean.js'),
    },
    select: { about: 'part of a set, by a budget of tokens', load: () => import('./data/select.js') },
    stats: { about: 'counts, lengths, frequent phrases', load: () => import('./data/stats.js') },
  },
  more: `
Files are .jsonl, .jsonl.gz or .parquet; - is standard input or output. A command
that was killed goes on where it stood when it is called again.
z1 data COMMAND --help lists a command's options.
`,
}

const evaluation: Group = {
  title: 'z1 eval',
  commands: {
    compare: { about: 'two runs, window by window', load: () => import('./eval/compare.js') },
    merge: { about: 'the shards of a run as one', load: () => import('./eval/merge.js') },
    trace: {
      about: 'what policies see of the thinking, recorded once',
      load: () => import('./eval/trace.js'),
    },
    policies: { about: 'policies, tried on traces', load: () => import('./eval/policies.js') },
    plot: { about: 'a figure of runs', load: () => import('./eval/plot.js') },
    report: { about: 'runs as one page to read', load: () => import('./eval/report.js') },
  },
  more: '',
  itself: () => import('./eval/run.js'),
}

export const root: Group = {
  title: 'z1: local reasoning under a shifted thinking window',
  commands: {
    ask: {
      call: 'z1 ask "question"',
      about: 'answer a question; - reads it from standard input',
      load: () => import('./ask.js'),
    },
    chat: {
      call: 'z1 chat',
      about: 'a conversation, on a terminal or through pipes',
      load: () => import('./chat.js'),
    },
    pull: {
      call: 'z1 pull NAME',
      about: 'download a model from huggingface.co',
      load: () => import('./pull.js'),
    },
    list: { call: 'z1 list', about: 'the models that were pulled', load: () => import('./list.js') },
    remove: { call: 'z1 remove NAME', about: 'delete a model that was pulled', load: () => import('./remove.js') },
    serve: {
      call: 'z1 serve',
      about: "a model over HTTP, in OpenAI's and Anthropic's protocols",
      load: () => import('./serve.js'),
    },
    inspect: { call: 'z1 inspect FILE', about: 'what a GGUF file holds', load: () => import('./inspect.js') },
    doctor: {
      call: 'z1 doctor',
      about: 'what this machine can run, and why not more',
      load: () => import('./doctor.js'),
    },
    convert: {
      call: 'z1 convert DIR',
      about: 'a Hugging Face checkpoint to GGUF',
      load: () => import('./convert.js'),
    },
    quantize: {
      call: 'z1 quantize IN OUT',
      about: 'a GGUF file to another type',
      load: () => import('./quantize.js'),
    },
    data: { call: 'z1 data …', about: 'make, import, clean, select and measure trajectory sets', load: data },
    eval: { call: 'z1 eval …', about: 'accuracy over thinking windows', load: evaluation },
  },
  more: `  z1 --version

z1 COMMAND --help lists a command's options.
`,
}

/** Runs the command that the arguments name. @throws {UsageError} for arguments that have no meaning. */
export async function dispatch(group: Group, args: readonly string[]): Promise<void> {
  const [name, ...rest] = args
  const entry = name !== undefined && Object.hasOwn(group.commands, name) ? group.commands[name] : undefined
  if (entry) {
    if (typeof entry.load !== 'function') return dispatch(entry.load, rest)
    return runCommand((await entry.load()).command, rest)
  }
  if (group.itself) return runCommand((await group.itself()).command, args)
  if (name === '--help' || name === '-h' || name === 'help') {
    print(groupHelp(group))
    return
  }
  throw unknownCommand(group, name)
}

function unknownCommand(group: Group, name: string | undefined): UsageError {
  const nearest = name === undefined ? undefined : nearestOf(name, Object.keys(group.commands))
  const unknown = `Unknown command ${name}${nearest ? `: did you mean ${nearest}?` : ''}`
  const error = new UsageError(name === undefined ? 'Expected a command' : unknown)
  error.help = groupHelp(group)
  return error
}

function groupHelp({ title, commands, more }: Group): string {
  const rows = Object.entries(commands).map(([name, { call = name, about }]): [string, string] => [call, about])
  return `${title}\n\n${columns(rows)}${more}`
}
