/**
 * Random expressions, rendered here and by Python's Jinja2, where it is. Z1_RANDOM=N tries N of them, Z1_SEED=N others. What only
 * Python refuses is no difference: a text is better than none.
 */
import { expect, it } from 'vitest'
import { render, renderWithPython } from './cases.js'
import { randomCases } from './random.js'

it('random expressions give what Python gives', ({ skip }) => {
  const cases = randomCases(Number(process.env.Z1_SEED ?? 1), Number(process.env.Z1_RANDOM ?? 2000))
  const expected = renderWithPython(cases)
  if (!expected) return skip('no Python with Jinja2')
  expect(expected.filter((text) => text !== null).length).toBeGreaterThan(0.8 * cases.length)
  const differ = cases.flatMap((each, i) => {
    const python = expected[i] as string | null
    const here = render(each)
    return here === python || python === null || unsaid(each.source, here, python)
      ? []
      : [{ source: each.source, here, python }]
  })
  expect(differ).toEqual([])
})

/** An address in memory; a slice of a constant that has none, which jinja2 makes undefined and Python an error. */
function unsaid(source: string, here: string | null, python: string): boolean {
  return / at 0x/.test(python) || (here === null && /\[[^\]]*:[^\]]*\]/.test(source))
}
