// What a curve of accuracy over windows costs: all windows of each item from one trajectory, answered on branches, against
// the largest window alone at the same parallelism.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { ScriptError } from '../scripts/common.mjs'
import { compare, inTurn, measure, median, number, print, printTable, ratio, spread } from './measure.mjs'

/** The questions of a file of JSON Lines. */
function questionsOf(file, items) {
  const bytes = readFileSync(file)
  const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n')
  const questions = lines.slice(0, items).map((line) => {
    const { problem, question = problem } = JSON.parse(line)
    if (typeof question !== 'string') throw new ScriptError(`${file} has a line without a problem or question.`)
    return question
  })
  if (questions.length < items) throw new ScriptError(`${file} has only ${questions.length} items.`)
  return questions
}

export async function curve({
  data,
  model,
  items = 32,
  parallel = 4,
  branches = 4,
  kvCache,
  windows,
  banned = [],
  ...more
}) {
  const { rounds = 1, tokens = 64, threads } = more
  if (!data || !model) throw new ScriptError('curve needs --data FILE and --model FILE.')
  const sizes = (windows ?? [64, 128, 256, 512, 1024]).toSorted((a, b) => a - b)
  const largest = sizes.at(-1)
  const questions = questionsOf(data, items)
  const shared = { model, threads, parallel, questions, tokens, banned, thinkingWindow: largest }
  const all = { branches, kvCache, cuts: sizes.slice(0, -1) }
  const { alone, curve } = await inTurn(
    {
      alone: () => measure('z1', 'curve', { ...shared, branches: 0, cuts: [] }),
      curve: () => measure('z1', 'curve', { ...shared, ...all }),
    },
    rounds,
  )
  const column = (reports, name) => reports.map((report) => report[name])
  const row = (title, reports) => [
    title,
    number(median(column(reports, 'seconds'))),
    spread(column(reports, 'seconds')),
    number(median(column(reports, 'cpuSeconds'))),
    String(reports[0].tokens),
    `${number(100 * reports[0].reached, 0)}%`,
    number(ratio(column(reports, 'seconds'), column(alone, 'seconds')), 2),
    number(ratio(column(reports, 'cpuSeconds'), column(alone, 'cpuSeconds')), 2),
  ]
  const time = ratio(column(alone, 'seconds'), column(curve, 'seconds'))
  compare(`${sizes.length} windows of a curve`, 'the largest alone', time)
  printTable(
    `${basename(model)}: ${items} items of ${basename(data)}, ${tokens} tokens of answer, ${parallel} at once, ` +
      `${branches} branches, cells ${curve[0].kvCache}, ${threads} threads, ${rounds} rounds`,
    ['', 'seconds', 'from … to', 'on cores', 'tokens', `reach ${largest}`, '÷ alone', 'on cores ÷ alone'],
    [row(`window ${largest} alone`, alone), row(`windows ${sizes.join(', ')}`, curve)],
  )
  if (curve[0].reached < 0.8) print('  Fewer than 80% reach the largest window: take smaller ones.')
}
