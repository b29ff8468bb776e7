/** `z1 inspect`: what a GGUF file holds, read without its weights. */
import { inspectModel } from '../reason/vocabulary.js'
import { Misuse, readArgs } from './args.js'
import { bytes, count, table } from './table.js'

const USAGE = `z1 inspect [--json] [--template] FILE

  --json        print everything as JSON
  --template    print the chat template and nothing else
`

export async function inspect(args: string[]): Promise<void> {
  const parsed = readArgs(args, { json: { type: 'boolean' }, template: { type: 'boolean' } }, USAGE)
  if (!parsed) return
  const { values, positionals } = parsed
  if (positionals.length !== 1) throw new Misuse('Expected one file', USAGE)
  const facts = await inspectModel(positionals[0] as string)
  if (values.json) {
    process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`)
    return
  }
  if (values.template) {
    process.stdout.write(`${facts.chatTemplate ?? ''}\n`)
    return
  }
  const rows: [string, string][] = [
    ['architecture', facts.architecture],
    ['parameters', count(facts.parameters)],
    ['size', bytes(facts.size)],
    ['quantisation', facts.quantization],
    ['layers', String(facts.layers)],
    ['embedding', String(facts.embeddingLength)],
    ['vocabulary', `${facts.vocabularySize} tokens, ${facts.vocabularyType}`],
    ['training context', facts.trainingContext > 0 ? `${facts.trainingContext} tokens` : 'not said'],
    ['memory', facts.recurrent ? 'recurrent' : facts.hybrid ? 'hybrid' : 'attention'],
    ['chat template', facts.chatTemplate === null ? 'none' : `${facts.chatTemplate.length} characters (--template)`],
    ['think tags', facts.tags ? `${facts.tags.open} ${facts.tags.close}` : 'none'],
  ]
  if (facts.unsupported !== null) rows.push(['cannot answer', facts.unsupported])
  process.stdout.write(table(rows))
}
