/** `z1 inspect`: what a GGUF file holds, read without its weights. */
import type { RecommendedSampling } from '../reason/recommended.js'
import { inspectModel } from '../reason/vocabulary.js'
import { flag, integer } from './args.js'
import { defineCommand } from './command.js'
import { CONTEXT, showNeed } from './memory.js'
import { bytes, count, table } from './table.js'
import { print } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 inspect [options] FILE',
  about: '  FILE is a GGUF file, or the name of a model that was pulled.',
  operands: { min: 1, max: 1, expected: 'one file' },
  options: {
    json: flag({ help: 'print everything as JSON' }),
    template: flag({ help: 'print the chat template and nothing else' }),
    contextSize: integer(1, {
      value: 'N',
      help: 'tokens of context, for the memory that is needed',
      default: 'as z1 ask',
    }),
  },
  async run({ json, template, contextSize }, [file]) {
    const facts = await inspectModel(file as string)
    if (json) print(`${JSON.stringify(facts, null, 2)}\n`)
    else if (template) print(`${facts.chatTemplate ?? ''}\n`)
    else print(table(rowsOf(facts, contextSize)))
  },
})

function rowsOf(facts: Awaited<ReturnType<typeof inspectModel>>, given: number | undefined): [string, string][] {
  const { trainingContext } = facts
  const context = given ?? (trainingContext > 0 ? Math.min(trainingContext, CONTEXT) : CONTEXT)
  const rows: [string, string][] = [
    ['architecture', facts.architecture],
    ['parameters', count(facts.parameters)],
    ['size', bytes(facts.size)],
    ['quantization', facts.quantization],
    ['layers', String(facts.layers)],
    ['embedding', String(facts.embeddingLength)],
    ['vocabulary', `${facts.vocabularySize} tokens, ${facts.vocabularyType}`],
    ['training context', facts.trainingContext > 0 ? `${facts.trainingContext} tokens` : 'unknown'],
    ['memory needed', showNeed(facts.size, facts.kvBytesPerCell, context)],
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
