/** Models behind a server, as commands are given them. */
import type { Reasoner } from '../reason/reasoner.js'
import { connect } from '../remote/reasoner.js'
import { integer, optionName, text, UsageError } from './args.js'

const remote = text({
  value: 'URL',
  help: 'an OpenAI-compatible server that runs the model; its key is in Z1_API_KEY or OPENAI_API_KEY',
})

export const remoteOption = { remote }

export const concurrencyOption = {
  concurrency: integer(1, {
    value: 'N',
    help: 'with --remote, requests that are sent at once',
    default: 'as many as the server runs, else 4',
  }),
}

export function keyFromEnvironment(): string | undefined {
  return process.env.Z1_API_KEY || process.env.OPENAI_API_KEY || undefined
}

interface Given {
  remote: string
  model?: string | undefined
  concurrency?: number | undefined
  chatTemplate?: string | undefined
}

/**
 * @param load Options of a load, which a server has no use for.
 * @throws {UsageError} for options of a load beside it.
 */
export async function remoteReasoner(
  { remote, model, concurrency, chatTemplate }: Given,
  load: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<Reasoner & AsyncDisposable> {
  const [name] = Object.entries(load).find(([, value]) => value !== undefined) ?? []
  if (name !== undefined)
    throw new UsageError(`Expected no ${optionName(name, {})} with --remote: the server has loaded the model`)
  const options = { baseUrl: remote, model, chatTemplate, parallel: concurrency, apiKey: keyFromEnvironment(), signal }
  return (await connect(options)) as Reasoner & AsyncDisposable
}
