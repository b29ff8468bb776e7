/**
 * An answer that stands (`stated: 'keep'`) is one that `extractFinalAnswer` finds: the two read the same rules, one in C++
 * and one in TypeScript. Each text is one token of a model, and is all of its reasoning.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { extractFinalAnswer, Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { tableModel, tokenIds } from '../support/table-model.js'
import { STATED } from './final-answers.js'

const cases = Object.values(STATED).flat()

/** Texts that end right after a statement, with its value, and texts that do not. */
const KEPT = new Map([
  ['17+26=43\n\nThe answer is\n\\boxed{43}', '43'],
  ['So it is $\\boxed{43}$.\n', '43'],
  ['The answer is 42.', '42'],
  ['The answer is 3.14.', '3.14'],
  ['**Answer:** 25\n', '25'],
  ['48+24 = 72\n#### 72\n', '72'],
  ['The answer is:\n\\[\n25\n\\]', '25'],
  ['答案是25。', '25'],
  ['The answer is 5. No, the answer is 7.', '7'],
])
const ASKED = [
  'The answer is 42',
  'The answer is 42. Wait',
  '\\boxed{43}\n\nLet me check that.',
  '\\boxed{43}. The answer is correct.',
  'If the answer is 5.',
  'The answer is 24?',
  '\\boxed{}',
  'We add.',
]

/** Every text with a line feed after it, and every beginning of some of them. */
const beginnings = cases
  .filter((_, i) => i % 12 === 0)
  .flatMap(([text]) => [...text].map((_, i) => text.slice(0, i + 1)))
const texts = [
  ...new Set([...KEPT.keys(), ...ASKED, ...cases.flatMap(([text]) => [text, `${text}\n`]), ...beginnings]),
].filter((text) => text !== '' && [...text].length > 1)
const idOf = tokenIds(texts)

const folder = temporaryFolder()
let z1: Z1
beforeAll(async () => {
  z1 = await Z1.load({
    model: tableModel(folder(), 'texts', { rows: {}, extraTokens: texts }),
    contextSize: 32,
    threads: 1,
    engine: 'cpu',
  })
})
afterAll(async () => {
  await z1.dispose()
})

async function stands(text: string): Promise<boolean> {
  const { ended, reasoning, finalAnswer } = await z1.reason('x', {
    template: false,
    thinkingWindow: 1,
    maxTokens: 1,
    hint: '.',
    stated: 'keep',
    logitBias: { [idOf(text)]: 1000 },
  })
  expect(reasoning).toBe(text)
  // What a result says of an answer that stands is what its text says.
  if (ended === 'stated') expect(finalAnswer).toBe(extractFinalAnswer(text))
  return ended === 'stated'
}

describe("stated: 'keep'", () => {
  it.each([...KEPT])('keeps %j', async (text, value) => {
    expect(await stands(text)).toBe(true)
    expect(extractFinalAnswer(text)).toBe(value)
  })

  it.each(ASKED)('asks after %j', async (text) => {
    expect(await stands(text)).toBe(false)
  })

  it('never keeps what extractFinalAnswer does not find', async () => {
    const wrong: string[] = []
    for (const text of texts) {
      if ((await stands(text)) && extractFinalAnswer(text) === null) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })

  it('keeps most of the statements that a line ends with', async () => {
    const lost: string[] = []
    const ended = cases.filter(([text, value]) => value !== null && !/[.!。] |\n/.test(text))
    for (const [text] of ended) {
      if (!(await stands(`${text}\n`))) lost.push(text)
    }
    expect(ended.length).toBeGreaterThan(150)
    // Of these the hint asks: where a box without braces ends is not known, and `right` is nearly always a remark.
    expect(lost).toEqual(['Left or right? The answer is right.', '\\boxed 5'])
  })
})
