/** `z1 inspect`: what a GGUF file holds, read without its weights. */
import type { RecommendedSampling } from '../reason/recommended.js'
import { inspectModel } from '../reason/vocabulary.js'
import { flag } from './args.js'
import { defineCommand } from './command.js'
import { bytes, count, table } from './table.js'
import { print } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 inspect [--json] [--template] FILE',
  operands: { min: 1, max: 1, expected: 'one file' },
  options: {
    json: flag({ help: 'print everything as JSON' }),
    template: flag({ help: 'print the chat template and nothing else' }),
  },
  async run({ json, template }, [file]) {
    const facts = await inspectModel(file as string)
    if (json) print(`${JSON.stringify(facts, null, 2)}\n`)
    else if (template) print(`${facts.chatTemplate ?? ''}\n`)
    else print(table(rowsOf(facts)))
  },
})

function rowsOf(facts: Awaited<ReturnType<typeof inspectModel>>): [string, string][] {
  const rows: [string, string][] = [
    ['architecture', facts.architecture],
    ['parameters', count(facts.parameters)],
    ['size', bytes(facts.size)],
    ['quantization', facts.quantization],
    ['layers', String(facts.layers)],
    ['embedding', String(facts.embeddingLength)],
    ['vocabulary', `${facts.vocabularySize} tokens, ${facts.vocabularyType}`],
    ['training context', facts.trainingContext > 0 ? `${facts.trainingContext} tokens` : 'unknown'],
    ['sampling', samplingOf(facts.sampling)],
    ['memory', facts.recurrent ? 'recurrent' : facts.hybrid ? 'hybrid' : 'attention'],
    ['chat template', facts.chatTemplate === null ? 'none' : `${facts.chatTemplate.length} characters (--template)`],
    ['think tags', facts.tags ? `${facts.tags.open} ${facts.tags.close}` : 'none'],
  ]
  if (facts.unsupported !== null) rows.push(['cannot answer', facts.unsupported])
  return rows
}

/** As the options of `z1 ask` are called: `--temperature model` takes them. */
function samplingOf(recommended: RecommendedSampling): string {
  const parts = Object.entries(recommended).map(([name, value]) => `${name} ${value}`)
  return parts.length > 0 ? parts.join(', ') : 'nothing recommended'
}
