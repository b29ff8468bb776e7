// The child process of the fuzz: loads each model file that it is sent, answers a short question with it, and sends back
// what came of it. It must not print; whether it does, or ends, is for its parent to see.
import { Z1 } from '../../dist/index.js'

process.on('message', async (model) => {
  const outcome = await tryModel(model).then(
    () => ({ code: 'SUCCESS', message: '' }),
    ({ name, code, message }) => ({ code: name === 'Z1Error' ? code : name, message }),
  )
  process.send({ ...outcome, peakMemory: process.resourceUsage().maxRSS * 1024 })
})

async function tryModel(model) {
  const z1 = await Z1.load({ model, contextSize: 64, threads: 1, engine: process.env.Z1_FUZZ_ENGINE ?? 'cpu' })
  try {
    await z1.reason('hi', { template: false, thinkingWindow: 4, maxTokens: 4, hint: ' So' })
  } finally {
    await z1.dispose()
  }
}
