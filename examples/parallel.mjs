// Several questions at once on one model: each step decodes the next token of each.   node examples/parallel.mjs [model.gguf]
import { Z1 } from 'z1-native'

const questions = ["How many s's are in possess?", 'Sort 5, 3, 9, 1.', 'What is 12 + 30?']
const [model] = process.argv.slice(2)

const z1 = await Z1.load({ model, parallel: questions.length })
const results = await Promise.all(questions.map((question) => z1.reason(question, { thinkingWindow: 256 })))
for (const [i, { finalAnswer, timings }] of results.entries()) {
  console.log(`${questions[i]} ${finalAnswer} (${timings.totalMs.toFixed(0)} ms)`)
}
await z1.dispose()
