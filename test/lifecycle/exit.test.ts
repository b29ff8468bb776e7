import { spawnSync } from 'node:child_process'
import { platform } from 'node:process'
import { beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'
import { type Ending, node, type Options, run } from './process.js'

const stages = [
  'engine',
  'model',
  'loading',
  'context',
  'tokenizing',
  'generating',
  'generating in four contexts',
  'mid-stream',
  'aborting',
  'disposing',
] as const
type Stage = (typeof stages)[number]

/** Those in which something is under way that nobody waits for. */
const busy: Stage[] = stages.filter((stage) => !['engine', 'model', 'context'].includes(stage))

/** What an uncaught error leaves on stderr: where it was thrown, the error with its stack, and Node's version. */
const UNCAUGHT =
  /^\S+child\.mjs:\d+\n.*thrown on purpose.*\n +\^\n\nError: thrown on purpose\n( +at .*\n)*\nNode\.js v[\d.]+\n$/

const model = testModel('qwen2-bytes', { endGain: 0 })
// Its vocabulary takes half a second to read.
const slowModel = testModel('qwen2-vocab')

function end(stage: Stage, ending: string, options?: Options): Promise<Ending> {
  return run([...node('child.mjs', '--expose-gc'), stage, ending, model, slowModel], options)
}

/** The lines that the script wrote, each once. */
function reports(stdout: string): string[] {
  return [...new Set(stdout.trim().split('\n'))]
}

/** What the script writes on the main thread once a worker is gone. */
let onceMore: string

beforeAll(async () => {
  await using z1 = await Z1.load({ model, threads: 1, contextSize: 8192, parallel: 2 })
  const { text } = await z1.reason('Once more', { template: false, thinkingWindow: 20, maxTokens: 20 })
  onceMore = `text: ${JSON.stringify(text)}`
})

describe.each(stages)('a process at the stage %s', (stage) => {
  const settled = busy.includes(stage) ? ['settled'] : []

  it('ends by itself, after what is under way', async () => {
    const { stdout, ...ending } = await end(stage, 'return')
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
    expect(reports(stdout)).toEqual(['reached', ...settled])
  })

  it('ends with process.exit()', async () => {
    expect(await end(stage, 'exit')).toEqual({ code: 7, signal: null, stdout: 'reached\n', stderr: '' })
  })

  it('ends with an uncaught error', async () => {
    const { stderr, ...ending } = await end(stage, 'throw')
    expect(ending).toMatchObject({ code: 1, signal: null })
    expect(ending.stdout).toMatch(/^reached\n/)
    expect(stderr).toMatch(UNCAUGHT)
  })

  it('ends with an error thrown where the stage was awaited', async () => {
    const { stderr, ...ending } = await end(stage, 'reject')
    expect(ending).toMatchObject({ code: 1, signal: null })
    expect(ending.stdout).toMatch(/^reached\n/)
    expect(stderr).toMatch(UNCAUGHT)
  })

  it.runIf(platform === 'linux')('leaves nothing when every reference is collected', async () => {
    const { stdout, ...ending } = await end(stage, 'collect')
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
    const held = stage === 'engine' ? [] : stage === 'model' ? ['holds a model'] : ['holds a model', 'holds a thread']
    // When it is looked at, a load may or may not have mapped its file, and a disposal may or may not have ended.
    const passing = stage === 'loading' || stage === 'disposing'
    const lines = reports(stdout).filter((line) => !passing || !line.startsWith('holds'))
    expect(lines).toEqual(['reached', ...(passing ? [] : held), ...settled, 'collected'])
  })

  it.skipIf(platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)('dies of %s', async (signal) => {
    const watch: Options['watch'] = (child, stdout) => {
      if (stdout.includes('reached')) child.kill(signal)
    }
    expect(await end(stage, 'wait', { watch })).toMatchObject({ code: null, signal, stderr: '' })
  })

  it.each([
    ['terminate', ['worker exit: 1']],
    ['exit', ['worker exit: 7']],
    ['throw', ['worker error: thrown on purpose', 'worker exit: 1']],
    ['return', ['worker exit: 0']],
  ])('in a worker, ends with %s and leaves the main thread a working engine', async (how, ended) => {
    const { stdout, ...ending } = await end(stage, `worker ${how}`)
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
    expect(reports(stdout).filter((line) => line !== 'settled')).toEqual(['reached', ...ended, onceMore])
  })

  it('in a worker, ends with process.exit() on the main thread', async () => {
    const { stdout, ...ending } = await end(stage, 'exit over worker')
    expect(ending).toEqual({ code: 7, signal: null, stderr: '' })
    expect(stdout).toMatch(/^reached\n/)
  })

  it('in a worker, ends with an uncaught error on the main thread', async () => {
    const { stderr, ...ending } = await end(stage, 'throw over worker')
    expect(ending).toMatchObject({ code: 1, signal: null })
    expect(stderr).toMatch(UNCAUGHT)
  })
})

const deno = spawnSync('deno', ['--version']).error?.message
if (deno) console.warn(`The end of a Deno process is not tested: ${deno}`)

describe.skipIf(deno)('a process of Deno', () => {
  it.each(['await z1.dispose()', ''])('ends as others do, after %j', (last) => {
    const library = new URL('../../dist/index.js', import.meta.url)
    const source = `
      const { Z1 } = await import(${JSON.stringify(library.href)})
      const z1 = await Z1.load({ model: ${JSON.stringify(model)}, threads: 1 })
      await z1.reason('Hi', { template: false, thinkingWindow: 2, maxTokens: 2 })
      ${last}`
    const { status, signal, stderr } = spawnSync('deno', ['run', '-A', '-'], { input: source, encoding: 'utf8' })
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  })
})
