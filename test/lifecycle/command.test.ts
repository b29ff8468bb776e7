import { platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type ReasonResult, Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'
import { node, type Options, run } from './process.js'

const model = testModel('qwen2-bytes', { endGain: 0 })
const z1 = node('../../dist/cli/main.js')
const options = ['--model', model, '--threads', '1', '--context-size', '8192', '--raw']
/** Goes on for longer than the process may live. */
const endless = [...z1, 'ask', ...options, '--window', 'inf', 'Go on']
const brief = [...z1, 'ask', ...options, '--window', '20', '--max-tokens', '20', 'Go on']

/** Does something to a process once its output satisfies the condition. */
function once(condition: (stdout: string, stderr: string) => boolean, act: Options['watch']): Options['watch'] {
  let done = false
  return (child, stdout, stderr) => {
    if (done || !condition(stdout, stderr)) return
    done = true
    act?.(child, stdout, stderr)
  }
}

describe.skipIf(platform === 'win32')('z1 ask', () => {
  it.each([
    ['after five bytes', (stdout: string) => stdout.length >= 5, endless],
    ['before the first', () => true, endless],
    ['before the result of --json', () => true, [...brief, '--json']],
  ])('ends quietly when its reader goes away %s', async (_when, condition, command) => {
    const watch = once(condition, (child) => child.stdout?.destroy())
    expect(await run(command, { watch })).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  it('ends quietly in a pipe to head', async () => {
    const pipe = ['bash', '-c', '"$@" | head -c 5; exit $PIPESTATUS', 'bash', ...endless]
    const { stdout, ...ending } = await run(pipe)
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
    expect(stdout).not.toBe('')
  })

  it('needs no standard input', async () => {
    const { stdout: expected } = await run(brief)
    expect(expected).not.toBe('')
    const closed = ['sh', '-c', 'exec "$@" <&-', 'sh', ...brief]
    expect(await run(closed)).toEqual({ code: 0, signal: null, stdout: expected, stderr: '' })
  })

  it('refuses an empty question from standard input', async () => {
    const { code, stdout, stderr } = await run([...z1, 'ask', ...options, '-'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^z1: .*standard input\n$/)
  })

  it('keeps what there is on SIGINT', async () => {
    let before = ''
    const watch = once(
      (stdout) => stdout.length > 100,
      (child, stdout) => {
        before = stdout
        child.kill('SIGINT')
      },
    )
    const { stdout, ...ending } = await run(endless, { watch })
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
    expect(stdout.startsWith(before)).toBe(true)
    expect(stdout.endsWith('\n')).toBe(true)
  })

  it('keeps what there is on SIGINT, with --json too', async () => {
    // The command prints nothing before its end: this tells that it listens for the signal.
    const announce = "process.on('newListener', (name) => name === 'SIGINT' && process.stderr.write('listening'))"
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(announce)}` }
    const watch = once(
      (_stdout, stderr) => stderr.includes('listening'),
      async (child) => {
        await sleep(500)
        child.kill('SIGINT')
      },
    )
    const { stdout, ...ending } = await run([...endless, '--json'], { env, watch })
    expect(ending).toEqual({ code: 0, signal: null, stderr: 'listening' })
    const result: ReasonResult = JSON.parse(stdout)
    expect(result).toMatchObject({ ended: 'stop', finishReason: 'abort', hint: '', text: result.reasoning })

    await using same = await Z1.load({ model, threads: 1, contextSize: 8192 })
    const reference = await same.reason('Go on', { template: false, thinkingWindow: 100, maxTokens: 1 })
    const { reasoning } = result.tokens
    expect(reasoning.length).toBeGreaterThan(0)
    expect(reasoning.slice(0, 100)).toEqual(reference.tokens.reasoning.slice(0, reasoning.length))
  })

  it('dies of SIGTERM', async () => {
    const watch = once(
      (stdout) => stdout.length > 100,
      (child) => child.kill('SIGTERM'),
    )
    expect(await run(endless, { watch })).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' })
  })
})
