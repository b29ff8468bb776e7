/** `z1 pull`: models and benchmarks from the Hugging Face Hub into its cache. */
import { inspectRemote, type Pulled, pull, type RemoteModel, wantedOf } from '../hub/pull.js'
import { findTags } from '../reason/tags.js'
import { flag, text } from './args.js'
import { defineCommand } from './command.js'
import { CONTEXT, showNeed } from './memory.js'
import { runInterruptible, showBytes } from './progress.js'
import { bytes, table } from './table.js'
import { print, printError } from './terminal.js'

export const command = defineCommand({
  usage: 'z1 pull [options] NAME…',
  about: `  NAME is user/repo:QUANT, user/repo or user/repo/file.gguf of huggingface.co,
  or a benchmark: math500, gsm8k, aime24, amc23. What was interrupted goes on.`,
  operands: { min: 1, max: Infinity, expected: 'the name of a model, such as user/repo:Q4_K_M' },
  options: {
    revision: text({ value: 'NAME', help: 'branch, tag or commit', default: 'main' }),
    dryRun: flag({ help: 'show what it is and download nothing' }),
    json: flag({ help: 'print what was pulled as JSON' }),
  },
  async run({ revision, dryRun, json }, names) {
    // Fails early: the first may take hours.
    for (const name of names) wantedOf(name, 'main')
    const results: (RemoteModel | Pulled)[] = []
    for (const name of names) {
      const result = await runInterruptible(
        async ({ signal, show }) => {
          const remote = await inspectRemote(name, { revision, signal })
          if (!json) printError(table(rowsOf(remote)))
          return dryRun ? remote : pull(name, { revision, signal, onProgress: showBytes('pulling', show) })
        },
        () => ': what came is kept, the same command goes on from there',
      )
      if (!result) return
      if (!json && 'path' in result) print(`${result.path}\n`)
      results.push(result)
    }
    if (json) print(`${JSON.stringify(results.map(withoutTokens), null, 2)}\n`)
  },
})

function rowsOf({ name, repo, license, files, size, cached, header }: RemoteModel): [string, string][] {
  const parts = files.length > 1 ? ` in ${files.length} files` : ''
  const rows: [string, string][] = [
    ['name', name],
    ['repository', `${repo}, license ${license ?? 'not stated'}`],
    ['size', `${bytes(size)}${parts}${cached > 0 ? `, ${bytes(cached)} there already` : ''}`],
  ]
  if (!header) return rows
  const { architecture, trainingContext, chatTemplate, specialTokens, kvBytesPerToken } = header
  const tags = findTags(chatTemplate, specialTokens)
  const context = trainingContext > 0 ? Math.min(trainingContext, CONTEXT) : CONTEXT
  return [
    ...rows,
    ['architecture', architecture],
    ['training context', trainingContext > 0 ? `${trainingContext} tokens` : 'unknown'],
    ['memory needed', showNeed(size, kvBytesPerToken, context)],
    ['chat template', chatTemplate === null ? 'none' : `${chatTemplate.length} characters`],
    ['think tags', tags ? `${tags.open} ${tags.close}` : 'none'],
  ]
}

/** A vocabulary has thousands of special tokens. */
function withoutTokens(result: RemoteModel | Pulled): object {
  if (!('header' in result) || result.header === null) return result
  const { specialTokens, ...header } = result.header
  const tags = findTags(header.chatTemplate, specialTokens)
  return { ...result, header: { ...header, tags: tags && { open: tags.open, close: tags.close } } }
}
