/** The page in Chromium, as its readers use it: opened from a disk, with a mouse, with keys, in the dark, on paper. */
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { htmlReport } from '../../../lib/eval/html/page.js'
import { temporaryFolder } from '../../support/folder.js'
import { contrasts } from './contrast.js'
import { type Given, writeRun } from './runs.js'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const folder = temporaryFolder()
const hint = '\n\nSo: '
const hostile =
  '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 1"> \u202eabc\u0007 <!--<script> &lt;'

let browser: Browser
let page: Page
/** What a page must not do: log, throw, ask for anything but itself. */
let faults: string[]

beforeAll(async () => {
  if (!program) return
  browser = await chromium.launch({ executablePath: program })
  writeRun(folder('cut'), [
    { id: 'kept', window: '4', reasoning: 'Two and two.', hint, after: '7', correct: true },
    { id: 'kept', window: '16', reasoning: 'Two and two. More.', hint, after: '7', correct: true },
    { id: 'kept', window: 'inf', reasoning: 'Two and two. More. The end.', correct: true },
    { id: 'lost', window: '4', reasoning: 'First half,', hint, after: 'it is 8', question: 'Half of 14?' },
    { id: 'lost', window: '16', reasoning: 'First half, second', hint, after: 'it is 9', question: 'Half of 14?' },
    { id: 'lost', window: 'inf', reasoning: 'First half, second half: 7', correct: true, question: 'Half of 14?' },
    { id: 'open', window: '4', reasoning: 'Hm', hint, extracted: null },
    { id: 'open', window: '16', reasoning: 'Hm hm', hint },
    { id: 'open', window: 'inf', reasoning: 'Hm hm hm', ended: 'length' },
  ])
  writeRun(folder('bare'), [{ id: 'lost', window: '4', reasoning: 'First', question: 'Half of 14?' }], {
    method: 'none',
  })
  await write('two', ['cut', 'bare'])
  const asked = { id: 'x', window: '4', question: hostile, groups: { '<b>': hostile } }
  writeRun(folder('hostile'), [{ ...asked, reasoning: hostile, hint: hostile, after: hostile, extracted: hostile }])
  await write('hostile', ['hostile'])
})
afterAll(() => browser?.close())

beforeEach(async (context) => {
  if (!program) return context.skip('there is no Chromium: apt-get install chromium')
  page = await browser.newPage({ viewport: { width: 1200, height: 900 } })
  page.setDefaultTimeout(60_000)
  faults = []
  page.on('console', (message) => faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('request', (request) => {
    if (!request.isNavigationRequest()) faults.push(request.url())
  })
})
afterEach(async () => {
  if (!program) return
  await page.close()
  expect(faults).toEqual([])
})

async function write(name: string, runs: string[]): Promise<void> {
  writeFileSync(folder(`${name}.html`), await htmlReport(runs.map((run) => folder(run))))
}

async function open(name: string, hash = ''): Promise<void> {
  await page.goto(`${pathToFileURL(folder(`${name}.html`))}${hash}`)
}

/** Items of the table, each with the marks of its cells; pale ones in brackets. */
function rows(): Promise<string[]> {
  return page.locator('.items tbody tr').evaluateAll((rows) =>
    rows.map((row) => {
      const cells = [...row.querySelectorAll('td button')]
      const marks = cells.map((cell) => (cell.classList.contains('other') ? `(${cell.textContent})` : cell.textContent))
      return `${row.querySelector('.name')?.textContent} ${marks.join('')}`
    }),
  )
}

const choose = (name: string, label: string) =>
  page.getByRole('combobox', { name, exact: true }).selectOption({ label })
const dialog = () => page.getByRole('dialog')
const texts = (selector: string) => dialog().locator(selector).allTextContents()

describe('the report in Chromium', () => {
  it('opens from a disk, with all of it', async () => {
    await open('two')
    expect(await page.title()).toBe('Thinking windows: hand')
    expect(await page.locator('figure svg').count()).toBe(2)
    expect(await rows()).toEqual(['kept ✓✓✓', 'lost ✗✗✓✗', 'open –✗✗'])
    expect(await dialog().count()).toBe(0)
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
  })

  it('asks a server for nothing but itself', async () => {
    await open('two')
    const html = await page.content()
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.setHeader('content-type', 'text/html').end(html)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
      await page.getByRole('button', { name: 'Open an item whose answer the cut cost' }).click()
      await page.waitForLoadState('networkidle')
      // A browser looks for an icon by itself.
      expect(asked.filter((path) => path !== '/favicon.ico')).toEqual(['/'])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })

  it('runs no other script', async () => {
    await open('two')
    const ran = await page.evaluate(() => {
      const script = document.createElement('script')
      script.textContent = 'window.hacked = 1'
      document.body.append(script)
      return 'hacked' in window
    })
    expect(ran).toBe(false)
    // Chromium says so.
    expect(faults.splice(0)).toEqual([expect.stringContaining('Content Security Policy')])
  })

  it('shows where the cut cost the answer to who sees it for the first time', async () => {
    await open('two')
    await page.getByRole('button', { name: 'Open an item whose answer the cut cost' }).click()
    // The last cut that cost it: at 16 tokens.
    expect(await texts('h2')).toEqual(['lost'])
    expect(await texts('.question')).toEqual(['Half of 14?'])
    expect(await texts('.said')).toEqual(['✗ wrong, but right at a larger window'])
    expect(await texts('.verdict dd')).toEqual([
      '8',
      '7',
      'cut by the window, after 16 tokens',
      '3 tokens of hint, 2 tokens of answer',
    ])
    expect(await texts('.text')).toEqual(['Half of 14?', 'First half, second', hint, 'it is 9', ' half: 7'])
    expect(await texts('.without h3')).toEqual(['Without this cut, at window ∞: ✓ right'])
    const heights = await Promise.all(
      ['.reasoning', '.cut-mark', '.hint', '.answer'].map(
        async (part) => (await dialog().locator(part).boundingBox())?.y ?? NaN,
      ),
    )
    expect(heights).toEqual([...heights].sort((a, b) => a - b))
    await expect(dialog().locator('.cut-mark').textContent()).resolves.toBe('✂ Cut: the window closed after 16 tokens')
    expect(await dialog().locator('.cut-mark').isVisible()).toBe(true)
    await dialog().getByRole('button', { name: 'window 4: wrong' }).first().click()
    expect((await texts('.text'))[1]).toBe('First half,')
    await dialog().getByRole('button', { name: 'window ∞: right' }).click()
    expect(await texts('.text')).toEqual(['Half of 14?', 'First half, second half: 7'])
    expect(await dialog().locator('.cut-mark').count()).toBe(0)
    await dialog().getByRole('button', { name: 'Close' }).click()
    expect(await dialog().count()).toBe(0)
  })

  it('filters', async () => {
    await open('two')
    await choose('A larger window', 'is right, this one wrong')
    expect(await rows()).toEqual(['lost ✗✗(✓)(✗)'])
    expect(await page.locator('#count').textContent()).toContain('1 of 3 items; 2 responses')
    await choose('Window', '16')
    expect(await rows()).toEqual(['lost (✗)✗(✓)(✗)'])
    await page.getByRole('button', { name: 'Clear' }).click()
    await choose('Run', 'bare')
    expect(await rows()).toEqual(['lost ✗'])
    await choose('Run', 'all')
    await choose('Verdict', 'unanswered')
    expect(await rows()).toEqual(['open –(✗)(✗)'])
    await choose('Verdict', 'right')
    await choose('Thinking ended', 'window')
    expect(await rows()).toEqual(['kept ✓✓(✓)'])
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByLabel('Search').fill('SECOND HALF')
    await page.locator('#count', { hasText: /^1 of 3 items/ }).waitFor()
    expect(await rows()).toEqual(['lost (✗)(✗)✓(✗)'])
    await page.getByLabel('Search').fill('nowhere')
    await page.locator('#count', { hasText: 'No item matches' }).waitFor()
    // A number in the table of figures shows what it counts.
    await page.getByRole('button', { name: 'Show the 1 lost at window 4' }).click()
    expect(await rows()).toEqual(['lost ✗(✗)(✓)'])
    expect(await page.getByLabel('Search').inputValue()).toBe('')
  })

  it('is used with keys alone', async () => {
    await open('two')
    await page.keyboard.press('/')
    await page.keyboard.type('half of')
    await page.locator('#count', { hasText: /^1 of 3 items/ }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByLabel('Search').fill('')
    await page.locator('#count', { hasText: /^3 of 3 items/ }).waitFor()
    // To the button beside the search, then into the table.
    for (const key of ['Tab', 'Tab', 'ArrowDown', 'ArrowRight', 'ArrowRight']) await page.keyboard.press(key)
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'))
    expect(await focused()).toBe('window 16: wrong, cut by the window, right at a larger window')
    await page.keyboard.press('Enter')
    expect((await texts('.text'))[1]).toBe('First half, second')
    await page.keyboard.press('ArrowLeft')
    expect((await texts('.text'))[1]).toBe('First half,')
    await page.keyboard.press('ArrowLeft')
    expect((await texts('.text'))[1]).toBe('First half,')
    await page.keyboard.press('j')
    expect(await texts('h2')).toEqual(['open'])
    await page.keyboard.press('j')
    expect(await texts('h2')).toEqual(['open'])
    await page.keyboard.press('k')
    await page.keyboard.press('k')
    expect(await texts('h2')).toEqual(['kept'])
    await page.keyboard.press('Escape')
    expect(await dialog().count()).toBe(0)
    expect(await focused()).toBe('window 16: wrong, cut by the window, right at a larger window')
    expect(page.url()).not.toContain('#')
  })

  it('has an address for each response, and a way back', async () => {
    await open('two', '#response-4')
    expect(await texts('h2')).toEqual(['lost'])
    await open('two', '#response-999')
    expect(await dialog().count()).toBe(0)
    await page.locator('.items .name').first().click()
    expect(page.url()).toMatch(/#response-\d+$/)
    await page.goBack()
    await dialog().waitFor({ state: 'hidden' })
    await page.goForward()
    await dialog().waitFor()
  })

  it('opens what was clicked before it heard of another address, or of a closed dialog', async () => {
    await open('two', '#response-4')
    const clicked = (before: string) =>
      page.evaluate(`(() => { ${before}; document.querySelector('.items .name').click() })()`)
    await clicked("document.querySelector('dialog').close()")
    await page.waitForURL(/#response-0$/)
    expect(await texts('h2')).toEqual(['kept'])
    await page.keyboard.press('Escape')
    await page.waitForURL(/html$/)
    await clicked("location.hash = '#response-999'")
    await page.goBack()
    await dialog().waitFor({ state: 'hidden' })
    await page.goForward()
    await dialog().waitFor()
    expect(await texts('h2')).toEqual(['kept'])
  })

  it.each(['light', 'dark'] as const)('can be read in the %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await open('two')
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    expect(await ground()).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(23, 25, 30)')
    const drawn = (await page.evaluate(contrasts, 'figure svg, figure svg *')) as [string, number][]
    expect(drawn.length).toBeGreaterThan(40)
    expect(drawn.filter(([, contrast]) => contrast < 3)).toEqual([])
    for (const hash of ['', '#response-4']) {
      await open('two', hash)
      const found = (await page.evaluate(contrasts, 'body *')) as [string, number][]
      expect(found.length).toBeGreaterThan(20)
      expect(found.filter(([, contrast]) => contrast < 4.5)).toEqual([])
    }
    await page.keyboard.press('Escape')
    // The button goes from the system's to light to dark.
    await page.getByRole('button', { name: 'Theme' }).click()
    expect(await ground()).toBe('rgb(255, 255, 255)')
    await page.getByRole('button', { name: 'Theme' }).click()
    expect(await ground()).toBe('rgb(23, 25, 30)')
  })

  it('prints in light colors, without its controls; of an open item, the item', async () => {
    const line = 'A line of thought that is long enough to be seen.\n'
    const given: Given[] = [
      { id: 'long', window: '4', reasoning: line.repeat(300), hint, after: 'the answer' },
      { id: 'long', window: 'inf', reasoning: line.repeat(600), correct: true },
    ]
    writeRun(folder('long'), given)
    await write('long', ['long'])
    await page.emulateMedia({ colorScheme: 'dark', media: 'print' })
    await open('long')
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)')
    for (const hidden of ['#filters', '#theme', '.keys', 'button.primary']) {
      expect(await page.locator(hidden).isVisible()).toBe(false)
    }
    expect(await page.locator('.items').isVisible()).toBe(true)
    expect(await page.locator('#runs ~ details dd').first().isVisible()).toBe(true)
    const pages = async () =>
      (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type \/Page\b/g)?.length ?? 0
    expect(await pages()).toBeLessThan(5)
    await open('long', '#response-0')
    expect(await page.locator('main').isVisible()).toBe(false)
    expect(await dialog().isVisible()).toBe(true)
    // 300 lines, and 300 more beside the answer.
    expect(await pages()).toBeGreaterThan(6)
  })

  it('shows hostile texts as texts', async () => {
    await open('hostile', '#response-0')
    const seen = hostile.replace('\u202e', 'U+202E').replace('\u0007', 'U+0007')
    expect(await texts('.text')).toEqual([seen, seen, seen, seen])
    expect(await texts('.verdict dd bdi')).toEqual([seen, '7'])
    expect(await texts('.group')).toEqual([`<b>: ${seen}`])
    expect(await page.evaluate(() => 'hacked' in window || document.images.length > 0)).toBe(false)
  })

  it('holds ten megabytes of results, and a response of ten megabytes', async () => {
    const long = `start ${'word '.repeat(2_000_000)}end`
    const many = Array.from({ length: 4000 }, (_, i): Given => {
      return { id: `${i}`, window: '4', reasoning: `number ${i} ${'x'.repeat(2500)}`, hint, correct: i % 2 === 0 }
    })
    writeRun(folder('large'), [...many, { id: 'whale', window: '4', reasoning: long, hint, after: 'done' }])
    await write('large', ['large'])
    await open('large')
    expect(await page.locator('.items tbody tr').count()).toBe(100)
    await page.getByRole('button', { name: 'Show 100 more of 3901' }).click()
    expect(await page.locator('.items tbody tr').count()).toBe(200)
    await page.getByLabel('Search').fill('number 1234 ')
    await page.locator('#count', { hasText: /^1 of 4001 items/ }).waitFor()
    expect(await rows()).toEqual(['1234 ✓'])
    await page.getByLabel('Search').fill('start word')
    await page.locator('.items .name', { hasText: 'whale' }).click()
    const reasoning = dialog().locator('.reasoning')
    expect((await reasoning.textContent())?.length).toBeLessThan(101_000)
    expect(await reasoning.textContent()).toMatch(/^start word[\s\S]* word end$/)
    await reasoning.getByRole('button').click()
    expect(await reasoning.evaluate((block) => block.textContent?.length)).toBe(long.length)
  })
})
