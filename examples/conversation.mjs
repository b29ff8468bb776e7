// Two turns: the second prompt continues what is in the KV cache.   node examples/conversation.mjs [model.gguf]
import { Z1 } from 'z1-native'

const [model] = process.argv.slice(2)

const z1 = await Z1.load({ model })
const messages = []
for (const content of ['What is 12 + 30?', 'What is 345 + 678?']) {
  messages.push({ role: 'user', content })
  const { message, finalAnswer, usage } = await z1.reason(messages, { thinkingWindow: 128, maxTokens: 64 })
  messages.push(message)
  console.log(`${content} ${finalAnswer} (${usage.cachedTokens} of ${usage.promptTokens} prompt tokens were cached)`)
}
await z1.dispose()
