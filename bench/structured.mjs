// What a schema costs each token of the answer, where the model would have written the same without it.
import { basename } from 'node:path'
import { ScriptError } from '../scripts/common.mjs'
import { compare, inTurn, measure, median, number, print, printTable, ratio, spread } from './measure.mjs'

/** A list of objects, as a model writes it. */
const list = (properties) => ({
  type: 'array',
  items: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
})

const QUESTIONS = [
  {
    question:
      'The first twenty chemical elements as a JSON array of objects with the keys "symbol", "name" and "number".',
    schema: list({ symbol: { type: 'string' }, name: { type: 'string' }, number: { type: 'integer' } }),
  },
  {
    question: 'Ten countries as a JSON array of objects with the keys "country", "capital" and "population".',
    schema: list({ country: { type: 'string' }, capital: { type: 'string' }, population: { type: 'integer' } }),
  },
  {
    question: 'Ten fruits as a JSON array of objects with the keys "fruit", "color" and "sweet" (true or false).',
    schema: list({ fruit: { type: 'string' }, color: { type: 'string' }, sweet: { type: 'boolean' } }),
  },
]

export async function structured({ model, rounds = 3, tokens = 160, threads }) {
  if (!model) throw new ScriptError('structured needs --model FILE.')
  const options = { model, threads, tokens, questions: QUESTIONS }
  const { all } = await inTurn({ all: () => measure('z1', 'structured', options) }, rounds)
  const of = (side) => all.map((report) => report[side].ms / report[side].tokens)
  compare('an answer under a schema', 'a free one', ratio(of('free'), of('bound')))
  printTable(
    `${basename(model)}: ms of a token of ${QUESTIONS.length} answers of up to ${tokens}, ${threads} threads, ${rounds} rounds`,
    ['', 'ms', 'from … to', 'this ÷ free'],
    ['free', 'bound'].map((side) => [
      side,
      number(median(of(side)), 2),
      spread(of(side), 2),
      side === 'free' ? '' : number(ratio(of(side), of('free')), 2),
    ]),
  )
  print(
    `  Of ${all[0].bound.tokens} bound tokens ${all[0].same} are the free ones too, from the beginning of each answer.`,
  )
}
