// The child process of calls.ts: takes its steps one after the other and sends back what came of each. Prints nothing.
import { Z1 } from '../../dist/index.js'

const opened = new Map()

async function take({ load, as, ask, input, options }) {
  if (ask !== undefined) return (await opened.get(ask).reason(input, options)).text
  const z1 = await Z1.load(load)
  const { engine } = z1.model
  if (as === undefined) await z1.dispose()
  else opened.set(as, z1)
  return engine
}

process.once('message', async (steps) => {
  const outcomes = []
  for (const step of steps) {
    try {
      outcomes.push({ value: await take(step) })
    } catch ({ name, code, message }) {
      outcomes.push({ name, code, message })
    }
  }
  for (const z1 of opened.values()) await z1.dispose()
  process.send(outcomes, () => process.disconnect())
})
