// A person, or a clock, ends the thinking: the model answers from what it has.   node examples/answer-now.mjs [model.gguf]
import { Z1 } from 'z1-native'

const [model] = process.argv.slice(2)

const z1 = await Z1.load({ model })
const stream = z1.stream("How many r's are in strawberry?", { thinkingWindow: Infinity })
let count = 0
for await (const event of stream) {
  if (event.type === 'thinking') count += event.tokens.length
  if (count >= 8) stream.endThinking() // a button, a timer: anything may call it
}
const { ended, reasoning, answer } = await stream.result
console.log(`${reasoning}\n---\n${answer}\nended: ${ended}`)
await z1.dispose()
