/**
 * Templates render as Python's Jinja2 renders them under transformers' settings. What Python gave is kept in
 * expected.json, by the test below that asks Python where it is: Z1_UPDATE=1 writes the file anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { digest, missing, published, render, renderWithPython, snippets } from './cases.js'

const file = new URL('expected.json', import.meta.url)

describe.skipIf(missing)('as Python does', () => {
  const cases = missing ? [] : published()

  it('what templates may write', () => {
    const { snippets: expected } = JSON.parse(readFileSync(file, 'utf8'))
    expect(snippets.length).toBeGreaterThan(400)
    expect(snippets.map((each) => [each.source, render(each)])).toEqual(
      snippets.map(({ source }, i) => [source, expected[i]]),
    )
  })

  it('70 published templates, each with 20 conversations', () => {
    const { published: expected } = JSON.parse(readFileSync(file, 'utf8'))
    expect(cases).toHaveLength(70 * 20 * 3)
    const wrong = cases.filter((each, i) => digest(render(each)) !== expected[i]).map(({ name }) => name)
    expect(wrong).toEqual([])
  })

  it('which says the same today', ({ skip }) => {
    const snippetTexts = renderWithPython(snippets)
    if (!snippetTexts) skip('no Python with Jinja2')
    const digests = renderWithPython(cases)?.map(digest)
    if (process.env.Z1_UPDATE) {
      writeFileSync(file, `${JSON.stringify({ snippets: snippetTexts, published: digests }, null, 1)}\n`)
    }
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ snippets: snippetTexts, published: digests })
  })
})

if (missing) console.warn(`Published templates are not tested: ${missing}`)
