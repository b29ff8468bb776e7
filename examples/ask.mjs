// One question, one answer, and what it cost.   node examples/ask.mjs "your question" [model.gguf]
import { Z1 } from 'z1-native'

const [question = "How many r's are in strawberry?", model] = process.argv.slice(2)

const z1 = await Z1.load({ model })
try {
  const { finalAnswer, answer, usage, ended } = await z1.reason(question, { thinkingWindow: 512 })
  console.log(finalAnswer ?? answer)
  console.log(`${usage.thinkingTokens} thinking tokens, ended: ${ended}`)
} finally {
  await z1.dispose()
}
