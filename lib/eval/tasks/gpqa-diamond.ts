/** GPQA Diamond: a question and four choices. */
import { hash, Random } from '../../base/random.js'
import { gradeChoice } from '../grade.js'
import { benchmark } from './benchmark.js'

const LETTERS = ['A', 'B', 'C', 'D'] as const

/**
 * Rows with `id`, `question` and four `options`, the right one first. They are shown in an order of the item's own, so that
 * the right ones spread over the letters, and the same in every run.
 */
export const gpqaDiamond = benchmark(
  'gpqa-diamond',
  (row) => {
    const id = row.text('id')
    const options = row.texts('options')
    if (options.length !== LETTERS.length) throw row.wrong(`${LETTERS.length} texts`, 'options')
    const order = new Random(hash(id)).sample([0, 1, 2, 3], LETTERS.length)
    const choices = order.map((place) => (options[place] as string).trim())
    const lines = choices.map((choice, i) => `${LETTERS[i]}. ${choice}`)
    return {
      id,
      question: `${row.text('question').trim()}\n\n${lines.join('\n')}`,
      answer: LETTERS[order.indexOf(0)] as string,
      choices,
    }
  },
  gradeChoice,
)
