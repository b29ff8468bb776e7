/** Benchmarks of mathematics: a problem and the value that answers it. */
import { benchmark, goldOf } from './benchmark.js'

/** MATH500: rows with `problem`, `answer`, `subject`, `level` (1 … 5), `unique_id`. */
export const math500 = benchmark('math500', (row) => ({
  id: row.text('unique_id'),
  question: row.text('problem'),
  answer: row.text('answer'),
  groups: { subject: row.text('subject'), level: row.integer('level') },
}))

/** GSM8K: rows with `question` and `answer`, a solution that ends in `#### 72`. An item's id is its line. */
export const gsm8k = benchmark('gsm8k', (row) => {
  const answer = row.text('answer')
  const gold = goldOf(answer)
  if (gold === answer) throw row.wrong('a solution that ends in #### and a value', 'answer')
  return { id: String(row.line), question: row.text('question'), answer: gold }
})

/** AIME 2024: rows with `id`, `problem`, `answer`. */
export const aime24 = benchmark('aime24', (row) => ({
  id: row.text('id'),
  question: row.text('problem'),
  answer: row.text('answer'),
}))

/** AMC 2023: rows with `id`, `problem` (or `question`), `answer`. */
export const amc23 = benchmark('amc23', (row) => ({
  id: row.text('id'),
  question: row.either('problem', 'question'),
  answer: row.text('answer'),
}))
