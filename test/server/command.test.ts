/** `z1 serve` as its users run it: the built program (npm test builds it). */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Started, and listening. */
async function start(args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(
    process.execPath,
    [program, 'serve', '--port', '0', '--threads', '1', '--engine', 'cpu', ...args],
    {
      env: { ...process.env, ...env },
    },
  )
  children.push(child)
  const written = { stdout: '', stderr: '' }
  const listening = new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      written.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      written.stderr += text
      const [, url] = /listening on (http:\S+)\n/.exec(written.stderr) ?? []
      if (url !== undefined) resolve(url)
    })
    child.on('close', (code) => reject(new Error(`ended with ${code}: ${written.stderr}`)))
  })
  return { child, url: await listening, written }
}

const ask = (url: string, body: object, headers = {}) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'What is 2 + 3?' }], ...body }),
  })

async function run(args: string[]) {
  const child = spawn(process.execPath, [program, 'serve', ...args])
  children.push(child)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const [code] = await once(child, 'close')
  return { code, stderr }
}

describe('z1 serve', () => {
  it('answers, and writes nothing to standard output', async () => {
    const { url, child, written } = await start([
      '--window',
      '8',
      '--model-id',
      'mini',
      '--reasoning-field',
      'reasoning',
    ])
    const response = (await (await ask(url, { max_tokens: 50 })).json()) as {
      choices: [{ message: Record<string, unknown> }]
    }
    expect(response).toMatchObject({
      model: 'mini',
      choices: [{ message: { z1: { ended: 'window', thinkingTokens: 8 } } }],
    })
    expect(response.choices[0].message.reasoning).not.toBe('')
    child.kill('SIGTERM')
    const [code, signal] = await once(child, 'close')
    expect([code, signal, written.stdout]).toEqual([0, null, ''])
  })

  it('with SIGTERM ends what runs before it ends', async () => {
    const { url, child } = await start()
    const asked = ask(url, { stream: true, max_tokens: 200 })
    const response = await asked
    child.kill('SIGTERM')
    expect(await response.text()).toContain('data: [DONE]')
    expect(await once(child, 'close')).toEqual([0, null])
  })

  it('takes its key from the environment, where nobody else sees it', async () => {
    const { url } = await start([], { Z1_API_KEY: 'secret' })
    expect((await ask(url, {})).status).toBe(401)
    expect((await ask(url, { max_tokens: 20 }, { authorization: 'Bearer secret' })).status).toBe(200)
  })

  it.each([
    [['--host', '0.0.0.0'], /^z1: Expected an apiKey for host 0\.0\.0\.0: other machines reach it\n/m],
    [['--port', '99999'], /Expected integer between 0 and 65535 for port/],
    [['--temperature=-1'], /Expected number between 0 and 100 for temperature/],
    [['--allow-origin', 'localhost'], /Expected origin such as/],
    [['question'], /Expected no argument but received 'question'/],
    [['--prot', '1'], /did you mean --port\?/],
  ])('%j is misuse', async (args, message) => {
    const { code, stderr } = await run(args)
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)])
    // Before a model is loaded, which takes a while.
    expect(stderr).not.toContain('loading')
  })
})
