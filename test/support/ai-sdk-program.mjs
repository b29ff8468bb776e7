// A program of a user's, with a later AI SDK than the tests', and zod: scripts/test-runtimes.mjs runs it beside the installed package.
import { generateText, Output, streamText } from 'ai'
import { Z1 } from 'z1-native'
import { languageModel } from 'z1-native/ai-sdk'
import { z } from 'zod'

const z1 = await Z1.load({ threads: 1 })
const check = (holds, what) => {
  if (!holds) throw new Error(what)
}
const prompt = 'What is 2 + 3?'
const schema = z.object({ sum: z.number().int().min(0).max(99), sure: z.boolean() })

const { object } = await z1.reason(prompt, { schema, thinkingWindow: 8, maxTokens: 60 })
check(schema.safeParse(object).success, JSON.stringify(object))

for (const specification of ['v3', 'v4']) {
  const model = languageModel(z1, { specification })
  const options = { model, prompt, maxOutputTokens: 40, providerOptions: { z1: { thinkingWindow: 8 } } }

  const { text, reasoningText, usage } = await generateText(options)
  check(text !== '' && reasoningText !== '', JSON.stringify({ text, reasoningText }))
  check(usage.outputTokens > 0 && usage.outputTokens <= 40, JSON.stringify(usage))

  const stream = streamText(options)
  let deltas = ''
  for await (const delta of stream.textStream) deltas += delta
  check(deltas === text, `${deltas} for ${text}`)

  const { output } = await generateText({ ...options, maxOutputTokens: 100, output: Output.object({ schema }) })
  check(schema.safeParse(output).success, JSON.stringify(output))

  const controller = new AbortController()
  const left = streamText({ ...options, abortSignal: controller.signal, onError() {} })
  for await (const _ of left.fullStream) controller.abort()
  check((await z1.reason(prompt, { thinkingWindow: 4, maxTokens: 4 })).text !== '', 'nothing after an abort')
}
await z1.dispose()
console.log('ai: passed')
