// What drafts by prompt lookup bring: the same questions with and without them, greedy. Code that is edited repeats its prompt,
// prose does not. Where the tokens differ, by how little: the grouping of tokens into decodes changes the last bits of the logits.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { ScriptError } from '../scripts/common.mjs'
import { compare, inTurn, measure, median, number, print, printTable, ratio, spread } from './measure.mjs'

const source = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const edit = (path, change) => `${change} Print the whole file and nothing else.\n\n\`\`\`ts\n${source(path)}\`\`\``

const kinds = {
  'code that is edited': [
    edit('lib/base/random.ts', 'Rename the class Random to SeededRandom in this file.'),
    edit('lib/base/one-line.ts', 'Rename the function oneLine to singleLine in this file.'),
    edit('lib/base/words.ts', 'Remove all comments from this file.'),
  ],
  prose: [
    'Tell the story of a lighthouse keeper who finds a letter.',
    'Explain to a child why the sea is salty.',
    'Describe a walk through an old town on a rainy evening.',
  ],
}

export async function speculation({ model, rounds = 3, tokens = 160, threads }) {
  if (!model) throw new ScriptError('speculation needs --model FILE.')
  for (const [kind, questions] of Object.entries(kinds)) {
    const options = { model, threads, tokens, questions }
    const { all } = await inTurn({ all: () => measure('z1', 'speculation', options) }, rounds)
    const [{ usage, decodes, differences }] = all
    const rowOf = (clock) => {
      const [off, on] = ['off', 'on'].map((side) => all.map(({ speed }) => speed[side][clock]))
      const ratios = on.map((value, i) => value / off[i])
      return [...[off, on].map((values) => number(median(values))), number(ratio(on, off), 2), spread(ratios, 2)]
    }
    const rates = (side) => all.map(({ speed }) => speed[side].ms)
    compare(`speculation, ${kind}`, 'without it', ratio(rates('on'), rates('off')))
    printTable(
      `${basename(model)}, ${kind}: ${questions.length} responses of up to ${tokens} tokens, ${threads} threads, ${rounds} rounds`,
      ['tokens a second', 'without', 'with drafts', 'ratio', 'from … to'],
      [
        ['by the clock', ...rowOf('ms')],
        ['of time on cores', ...rowOf('cpuMs')],
      ],
    )
    print(
      `  ${usage.accepted} of ${usage.drafted} drafted tokens were accepted; ${decodes.on} decodes instead of ${decodes.off}.`,
    )
    const margins = differences.map(({ index, margin }) => `${number(margin, 3)} at token ${index}`)
    print(
      `  ${differences.length} of ${questions.length} responses differ` +
        (margins.length > 0 ? `; the two best tokens are apart by ${margins.join(', ')} (nats).` : '.'),
    )
  }
}
