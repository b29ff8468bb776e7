/** The page of a server in Chromium, as its readers use it: with a mouse, with keys, in the dark. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Z1 } from '../../lib/index.js'
import { serve, type Z1Server } from '../../lib/server/index.js'
import { contrasts } from '../eval/html/contrast.js'
import { temporaryFolder } from '../support/folder.js'
import { loadTable } from './rig.js'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const folder = temporaryFolder()

let browser: Browser
let page: Page
let fast: Z1
let slow: Z1
let server: Z1Server
let slowServer: Z1Server
let lockedServer: Z1Server
/** What a page must not do: log, throw, ask for anything but its own server. */
let faults: string[]
/** Bodies of requests. */
let sent: Record<string, unknown>[]

beforeAll(async () => {
  if (!program) return
  browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
  fast = await loadTable(folder('.'))
  slow = await loadTable(folder('.'), { slow: true })
  server = await serve(fast, { port: 0 })
  slowServer = await serve(slow, { port: 0 })
  lockedServer = await serve(fast, { port: 0, apiKey: 'secret' })
})
afterAll(async () => {
  await browser?.close()
  for (const each of [server, slowServer, lockedServer]) await each?.close({ timeout: 100 })
  for (const each of [fast, slow]) await each?.dispose()
})

beforeEach(async (context) => {
  if (!program) return context.skip('there is no Chromium: apt-get install chromium')
  page = await browser.newPage({ viewport: { width: 1100, height: 780 } })
  page.setDefaultTimeout(60_000)
  faults = []
  sent = []
  page.on('console', (message) => faults.push(message.text()))
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('request', (request) => {
    const own = [server, slowServer, lockedServer].some(({ url }) => request.url().startsWith(`${url}/`))
    if (!own && !request.url().startsWith('data:')) faults.push(request.url())
    if (request.method() === 'POST') sent.push(request.postDataJSON())
  })
})
afterEach(async () => {
  if (!program) return
  await page.close()
  expect(faults).toEqual([])
})

async function open(at: Z1Server): Promise<void> {
  await page.goto(at.url)
  await expect.poll(() => page.locator('#model').textContent()).toContain('table')
}

async function setSlider(id: string, value: string): Promise<void> {
  await page.locator(`#${id}`).fill(value)
}

const reply = () => page.locator('.reply').last()

describe('the page', () => {
  it('shows thinking, cut, hint and answer, each where it belongs', async () => {
    await open(server)
    await setSlider('window', '4')
    expect(await page.locator('#window-shown').textContent()).toBe('8 tokens')
    await page.fill('#question', 'L')
    await page.keyboard.press('Enter')
    await reply().locator('.foot').waitFor()
    expect(await reply().locator('.thinking').textContent()).toBe(' hm so hm so hm so hm so')
    expect(await reply().locator('.cut strong').textContent()).toBe('✂ The window closed after 8 tokens')
    expect(await reply().locator('.cut q').textContent()).toContain('I overthought it')
    expect(await reply().locator('.answer').textContent()).toBe('Four!')
    expect(await reply().locator('.foot').textContent()).toContain('10 tokens')
    expect(sent[0]).toMatchObject({ thinking_window: 8, temperature: 0, top_p: 0.95 })
  })

  it('sends the settings and the conversation, thinking and hint with it', async () => {
    await open(server)
    for (const [id, value] of Object.entries({ window: '2', temperature: '0.5', 'top-p': '0.5' }))
      await setSlider(id, value)
    await page.fill('#system', 'Be brief.')
    // The template of the model leaves a system text out, which is refused: the message is its writer's again.
    await page.fill('#question', 'L')
    await page.keyboard.press('Enter')
    await page.locator('#fault').waitFor()
    expect(await page.locator('#fault').textContent()).toContain('leaves out message 0')
    expect(await page.inputValue('#question')).toBe('L')
    expect(sent[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'L' },
      ],
      thinking_window: 2,
      temperature: 0.5,
      top_p: 0.5,
    })
    await page.fill('#system', '')
    for (const question of ['L', 'so L']) {
      await page.fill('#question', question)
      await page.click('#send')
      await reply().locator('.foot').waitFor()
    }
    const { messages } = sent.at(-1) as {
      messages: { role: string; reasoning_content?: string; z1?: { hint: string } }[]
    }
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user'])
    expect(messages[1]?.reasoning_content).not.toBe('')
    expect(messages[1]?.z1?.hint).toContain('I overthought it')
    faults = faults.filter((fault) => !fault.includes('status of 400'))
    await page.click('#clear')
    expect(await page.locator('article').count()).toBe(0)
  })

  it('answers now, and stops, by keyboard', async () => {
    await open(slowServer)
    await page.locator('#window').press('End')
    await page.locator('#question').focus()
    await page.keyboard.type('L')
    await page.keyboard.press('Enter')
    await expect.poll(() => reply().locator('.thinking').textContent()).toContain('so')
    await page.keyboard.press('Control+Enter')
    await reply().locator('.foot').waitFor()
    expect(await reply().locator('.cut strong').textContent()).toContain('Cut by you')
    expect(await reply().locator('.answer').textContent()).toBe('Four!')

    await page.fill('#question', 'L')
    await page.keyboard.press('Enter')
    await expect.poll(() => reply().locator('.thinking').textContent()).toContain('so')
    await page.keyboard.press('Escape')
    await reply().locator('.foot').waitFor()
    expect(await reply().locator('.foot').textContent()).toContain('stopped')
    expect(await page.locator('#send').isVisible()).toBe(true)
  })

  it('copies the answer', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await open(server)
    await page.fill('#question', 'L')
    await page.keyboard.press('Enter')
    await reply().getByText('Copy').click()
    await reply().getByText('Copied').waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe('Four!')
  })

  it('keeps what is written as text', async () => {
    await open(server)
    const hostile = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>L'
    await page.fill('#question', hostile)
    await page.keyboard.press('Enter')
    await reply().locator('.foot').waitFor()
    expect(await page.locator('.user').textContent()).toBe(hostile)
    expect(await page.evaluate('window.hacked')).toBeUndefined()
  })

  it('asks for a key where the server has one', async () => {
    await page.goto(lockedServer.url)
    await page.locator('#key').fill('secret')
    await page.locator('#key').press('Enter')
    await expect.poll(() => page.locator('#model').textContent()).toContain('table')
    await page.fill('#question', 'L')
    await page.locator('#question').press('Enter')
    await reply().locator('.foot').waitFor()
    faults = faults.filter((fault) => !fault.includes('status of 401'))
  })

  it('can be read in light and dark, and keeps which', async () => {
    await open(server)
    await page.fill('#question', 'L')
    await page.keyboard.press('Enter')
    await reply().locator('.foot').waitFor()
    for (const theme of ['dark', 'light']) {
      await page.click('#theme')
      expect(await page.evaluate('document.documentElement.dataset.theme')).toBe(theme)
      const found = (await page.evaluate(contrasts, 'body *')) as [string, number][]
      const poor = found.filter(([, contrast]) => contrast < 4.5)
      expect(poor).toEqual([])
    }
    await page.reload()
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('light')
  })
})

it('is small, and its policy allows its own server alone', async () => {
  if (!program) return
  let bytes = 0
  for (const path of ['/', '/page.css', '/page.js', '/client.js', '/settings.js']) {
    const response = await fetch(lockedServer.url + path)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'")
    bytes += (await response.arrayBuffer()).byteLength
  }
  expect(bytes).toBeLessThan(30_000)
})
