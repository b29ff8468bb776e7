/** The page as a text: what it says of runs, and that nothing in them becomes markup. */
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { type HtmlReportOptions, htmlReport } from '../../../lib/eval/html/page.js'
import { temporaryFolder } from '../../support/folder.js'
import { writeRun } from './runs.js'

const folder = temporaryFolder()
const hint = ' So: '
const hostile = '</script><script>alert(1)</script><!--<script> "\' & \u202e\u0000\u2028\ud800'

beforeAll(() => {
  writeRun(folder('plain'), [
    { id: '1', window: '4', reasoning: 'one', hint, after: '8' },
    { id: '1', window: 'inf', reasoning: 'one two', correct: true },
  ])
  writeRun(
    folder('hostile'),
    [
      {
        id: hostile,
        window: '4',
        reasoning: hostile,
        hint: hostile,
        after: hostile,
        question: hostile,
        answer: hostile,
        extracted: hostile,
        groups: { [hostile]: hostile },
      },
    ],
    { task: hostile, modelName: hostile, hint: hostile, system: hostile },
  )
})

function scripts(page: string): string[] {
  return Array.from(page.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g), ([, content]) => content as string)
}

describe('htmlReport', () => {
  it('is one page with all of its data', async () => {
    const page = await htmlReport([folder('plain')])
    const [data, program] = scripts(page) as [string, string]
    expect(scripts(page)).toHaveLength(2)
    expect(JSON.parse(data).responses).toMatchObject([
      { window: '4', text: 'one So: 8', parts: { reasoning: 3, hint: 5 }, lost: true },
      { window: 'inf', text: 'one two', lost: false },
    ])
    expect(program).not.toMatch(/^(import|export) /m)
    expect(page).not.toMatch(/\b(src|href)=|url\(|@import|https?:(?!\/\/www\.w3\.org\/2000\/svg)/)
  })

  it('has the mean score of runs that have one, and no column for it otherwise', async () => {
    writeRun(folder('scored'), [
      { id: '1', window: '4', reasoning: 'one', hint, after: '8', score: 0.5 },
      { id: '2', window: '4', reasoning: 'one', hint, after: '8', score: 0.25 },
    ])
    const cells = (page: string) => Array.from(page.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g), ([, cell]) => cell)
    const both = cells(await htmlReport([folder('scored'), folder('plain')]))
    expect(both).toContain('score, %')
    expect(both.filter((cell) => cell === '37.5')).toHaveLength(1)
    expect(cells(await htmlReport([folder('plain')]))).not.toContain('score, %')
  })

  it('allows its own script and style by their hashes, and nothing else', async () => {
    const page = await htmlReport([folder('plain')])
    const [, policy = ''] = /Content-Security-Policy" content="([^"]*)"/.exec(page) ?? []
    const hash = (content: string) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${hash(style)}`,
      `script-src ${hash(scripts(page)[1] as string)}`,
      "base-uri 'none'",
      "form-action 'none'",
    ])
  })

  it('escapes whatever runs hold', async () => {
    const page = await htmlReport([folder('hostile')], { labels: [hostile.slice(0, -1)], title: hostile.slice(0, -1) })
    expect(scripts(page)).toHaveLength(2)
    expect(page).not.toContain('<script>alert')
    expect(page).not.toMatch(/<!--/)
    // Outside of the data nothing hidden is left, neither as itself nor as markup.
    const outside = page.replace(scripts(page)[0] as string, '')
    expect(['\u0000', '\u2028', '\u202e', '\ud800'].filter((hidden) => outside.includes(hidden))).toEqual([])
    const { items, responses } = JSON.parse(scripts(page)[0] as string)
    expect(items).toMatchObject([{ id: hostile, question: hostile, answer: hostile, groups: { [hostile]: hostile } }])
    expect(responses[0].text).toBe(hostile.repeat(3))
    expect(Buffer.from(page).toString()).toBe(page)
  })

  it('says what may not be published, and what is missing', async () => {
    writeRun(folder('gpqa'), [{ id: '1', window: '4', reasoning: 'r' }], { task: 'gpqa-diamond', items: 2 })
    const sentence = 'GPQA&#39;s authors ask that no example be shown online in plain text'.replace('&#39;', "'")
    const notices = async (...[name, options]: [string, HtmlReportOptions?]) => {
      const page = await htmlReport([folder(name)], options)
      return Array.from(page.matchAll(/<p class="notice">(.*?)<\/p>/g), ([, text]) => text as string).slice(0, -1)
    }
    expect(await notices('gpqa')).toEqual([
      'gpqa is not finished: 1 of 2 responses are there.',
      `${sentence}: do not publish this file, which holds them; --no-texts leaves questions and responses out.`,
    ])
    expect((await notices('gpqa', { texts: false }))[1]).toBe(`${sentence}: questions and responses are left out here.`)
    expect(await notices('plain')).toEqual([])
    expect(await notices('plain', { texts: false })).toEqual(['Questions and responses are left out of this report.'])
  })

  it('counts what the cut cost, by window', async () => {
    const page = await htmlReport([folder('plain')])
    const rows = Array.from(page.matchAll(/<tr><td>.*?<\/tr>/g), ([row]) =>
      row
        .replace(/<[^>]*>/g, ' ')
        .split(/ +/)
        .slice(1, -1),
    )
    expect(rows.map(([first, ...more]) => (first === 'plain' ? more : [first, ...more]).slice(0, 6))).toEqual([
      ['4', '0.0', '0.0', '…', '79.3', '1'],
      ['∞', '100.0', '20.7', '…', '100.0', '0'],
    ])
  })

  it('refuses options that are invalid', async () => {
    await expect(htmlReport([])).rejects.toThrow(RangeError)
    await expect(htmlReport([folder('plain')], { labels: [] })).rejects.toThrow('one label for each folder')
    await expect(htmlReport([folder('plain')], { text: false } as HtmlReportOptions)).rejects.toThrow('texts')
  })
})
