// The reasoning as it is written, the cut, and the answer.   node examples/stream.mjs "your question" [model.gguf]
import { Z1 } from 'z1-native'

const [question = 'What is 3 + 4 * 5?', model] = process.argv.slice(2)

const z1 = await Z1.load({ model })
const stream = z1.stream(question, { thinkingWindow: 16, maxTokens: 64 })
for await (const event of stream) {
  if (event.type === 'thinking' || event.type === 'answer') process.stdout.write(event.text)
  if (event.type === 'cut') process.stdout.write(`⟨cut after ${event.thinkingTokens} tokens⟩${event.hint}`)
  if (event.type === 'done') console.log(`\nended: ${event.result.ended}`)
}
await z1.dispose()
