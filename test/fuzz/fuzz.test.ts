/**
 * No broken model file ends the process, prints, hangs, or takes memory without measure: each loads, or is refused with
 * one of the documented codes. `npm run test:fuzz` runs more files, of other seeds.
 */
import { expect, test } from 'vitest'
import { fuzz } from './fuzz.js'

const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback)
const seed = number('Z1_FUZZ_SEED', 1)
const files = number('Z1_FUZZ_FILES', 200)
const from = number('Z1_FUZZ_FROM', 0)

test(`${files} broken files of seed ${seed}`, { timeout: 300_000 + files * 1000 }, async () => {
  const { outcomes, failures } = await fuzz(seed, files, from)
  console.log(`seed ${seed}: ${JSON.stringify(outcomes)}`)
  expect(failures).toEqual([])
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['SUCCESS', 'MODEL_INVALID']))
})
