// How many questions of a file a model declines, that is, ends without a final answer:
//
//   node training/recipes/declines.mjs FILE.jsonl [MODEL.gguf]
//
// Prints the share, the mean number of tokens, and the questions that it answers all the same.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Z1 } from '../../dist/index.js'

const [file, model] = process.argv.slice(2)
if (file === undefined) {
  console.error('usage: node training/recipes/declines.mjs FILE.jsonl [MODEL.gguf]')
  process.exit(2)
}
const z1 = await Z1.load({ model, threads: 1, contextSize: 1024 })
let [asked, declined, tokens] = [0, 0, 0]
for await (const line of createInterface({ input: createReadStream(file) })) {
  const { question } = JSON.parse(line)
  const { finalAnswer, ended, usage } = await z1.reason(question, { thinkingWindow: 400, maxTokens: 32 })
  asked++
  tokens += usage.thinkingTokens + usage.answerTokens
  if (ended === 'self' && finalAnswer === null) declined++
  else console.log(`answered ${finalAnswer}: ${question.replaceAll('\n', ' ').slice(0, 120)}`)
}
console.log(`declined ${declined} of ${asked}, ${(tokens / asked).toFixed(1)} tokens on average`)
await z1.dispose()
