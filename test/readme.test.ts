/**
 * The README's commands, run one after the other as they stand, in an empty folder into which the package is linked. The Hub is a
 * stand-in whose models are the embedded one; what needs the network otherwise is named, with the reason.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from './support/folder.js'
import { HubServer } from './support/hub-server.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = temporaryFolder()

/** Why a command of the README is not run here, by its beginning. */
const ELSEWHERE: Record<string, string> = {
  'npm install z1-native': 'the registry: npm run test:package installs the tarball',
  'npm install && npm run demo': 'it builds this checkout, which a test must not',
  'npm install && npm test': 'it is what runs this test',
  'npm install && npm start': 'Electron: npm run test:electron runs the example',
  'npx z1 chat': 'a terminal: test/cli/chat',
  'npx z1 ask --remote': 'a server of others: test/remote',
  'npx z1 eval': 'it takes an hour: test/eval/command.test.ts',
  'npx z1 convert': 'a checkpoint of 15 GB: test/convert',
}

/** What each of the others prints. */
const OUTPUT: Record<string, RegExp> = {
  'npm init -y && npm pkg set type=module': /"name"/,
  'npx z1 doctor': /linux|darwin|win32/,
  'npx z1 pull Qwen/Qwen3-4B-GGUF:Q4_K_M': /Q4_K_M\.gguf\n$/,
  'npx z1 ask "Why is the sky blue?"': /./,
  'node ask.js': /42/,
  'npx z1 serve': /^/,
  'curl http://127.0.0.1:8080': /"content":"[^"]*42/,
  'cp -r node_modules/z1-native/examples/electron my-app': /^$/,
  'npx z1 ask "How many r\'s are in strawberry?"': /./,
  'npx z1 ask - --json': /"finalAnswer":/,
  'npx z1 inspect model.gguf': /qwen2/,
  'npx z1 list': /Qwen\/Qwen3-4B-GGUF:Q4_K_M/,
}

const commands = Array.from(readme.matchAll(/^```sh\n(.*?)^```/gms), ([, text]) => text as string)
  .join('')
  .replace(/ \\\n\s*/g, ' ')
  .split('\n')
  .map((line) => line.replace(/\s+#.*$/, ''))
  .filter((line) => line !== '')

const find = <T>(table: Record<string, T>, line: string): T | undefined =>
  Object.entries(table).find(([begin]) => line.startsWith(begin))?.[1]

let hub: HubServer
let server: { child: ChildProcess; url: string } | undefined

beforeAll(async () => {
  hub = await HubServer.open()
  const model = readFileSync(join(root, 'models', 'z1-mini.gguf'))
  hub.repos.set('Qwen/Qwen3-4B-GGUF', { license: 'apache-2.0', files: { 'Qwen3-4B-Q4_K_M.gguf': model } })
  mkdirSync(folder('node_modules', '.bin'), { recursive: true })
  symlinkSync(root, folder('node_modules', 'z1-native'))
  symlinkSync(join(root, 'dist', 'cli', 'main.js'), folder('node_modules', '.bin', 'z1'))
  const program = /^```js\n\/\/ ask\.js\n(.*?)^```/ms.exec(readme)?.[1] as string
  writeFileSync(folder('ask.js'), program)
  writeFileSync(folder('model.gguf'), model)
  writeFileSync(folder('question.txt'), 'What is 12 + 30?\n')
})
afterAll(async () => {
  await endServer()
  await hub.close()
})

async function endServer(): Promise<void> {
  const { pid } = server?.child ?? {}
  if (pid === undefined) return
  const closed = new Promise((done) => server?.child.on('close', done))
  process.kill(-pid, 'SIGTERM')
  await closed
  server = undefined
}

function start(line: string): ChildProcess {
  const { HF_TOKEN, HF_HUB_OFFLINE, ...rest } = process.env
  const env = { ...rest, HF_ENDPOINT: hub.url, HF_HUB_CACHE: folder('cache'), HF_HOME: folder('home') }
  // On one core, where the package takes one thread: other tests run beside these. A group of its own, to end it with all it started.
  const pinned = process.platform === 'linux' ? ['taskset', '-c', '0', 'bash', '-c', line] : ['bash', '-c', line]
  const [program = '', ...args] = pinned
  return spawn(program, args, { cwd: folder(), env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
}

function run(line: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = start(line)
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part) => {
      texts[name] += part
    })
  }
  return new Promise((done) => child.on('close', (status) => done({ status, ...texts })))
}

/** The address, once the server says that it listens. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (part) => {
        said += part
        const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? []
        if (url) resolve(url)
      })
    }
    child.on('close', (status) => reject(new Error(`z1 serve ended with ${status}: ${said}`)))
  })
}

it('every command is run, or named with a reason', () => {
  expect(commands.length).toBeGreaterThan(15)
  expect(
    commands.filter((line) => (find(OUTPUT, line) === undefined) === (find(ELSEWHERE, line) === undefined)),
  ).toEqual([])
  for (const begin of [...Object.keys(OUTPUT), ...Object.keys(ELSEWHERE)]) {
    expect(
      commands.some((line) => line.startsWith(begin)),
      begin,
    ).toBe(true)
  }
})

// In the README's order: some need what those before them did.
it.each(commands.filter((line) => find(OUTPUT, line) !== undefined))('%s', async (line) => {
  if (line.startsWith('npx z1 serve')) {
    await endServer()
    // A port that is free here.
    const child = start(`${line} --port 0`)
    server = { child, url: await listening(child) }
    return
  }
  const { status, stdout, stderr } = await run(line.replace('http://127.0.0.1:8080', server?.url ?? ''))
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(find(OUTPUT, line) as RegExp)
  if (line.startsWith('cp -r')) expect(existsSync(folder('my-app', 'main.mjs'))).toBe(true)
})
