/** The frame of commands that work for a while: signals in a process of its own, and what the terminal's line says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath, platform } from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Progress, progressLine, showBytes } from '../../lib/cli/progress.js'
import { run } from '../lifecycle/process.js'
import { hasScript, onTerminal } from '../support/terminal.js'

const built = new URL('../../dist/cli/progress.js', import.meta.url).href
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

describe.skipIf(platform === 'win32')('runInterruptible', () => {
  /** Runs `work` in a frame, and sends the signals one after the other, each when the work says that it is ready. */
  function interrupted(work: string, signals: NodeJS.Signals[]) {
    const source = `
      import { runInterruptible } from '${built}'
      const ready = () => process.stdout.write('ready ')
      const result = await runInterruptible(${work}, async () => ': it is late')
      process.stdout.write(JSON.stringify(result))`
    let sent = 0
    return run([execPath, '--input-type=module', '--eval', source], {
      watch: (child, stdout) => {
        const times = stdout.split('ready').length - 1
        if (times > sent && sent < signals.length) child.kill(signals[sent++])
      },
    })
  }
  const orderly = `({ signal }) => new Promise((_, reject) => {
    const timer = setTimeout(() => {}, 60_000)
    signal.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason) })
    ready()
  })`
  const stubborn = `({ signal }) => new Promise(() => {
    setTimeout(() => {}, 60_000)
    signal.addEventListener('abort', ready)
    ready()
  })`

  it.each<NodeJS.Signals>(['SIGINT', 'SIGTERM'])('ends in order at %s, and says so', async (signal) => {
    const { code, stdout, stderr } = await interrupted(orderly, [signal])
    expect({ code, stdout, stderr }).toEqual({
      code: 130,
      stdout: 'ready null',
      stderr: 'z1: Interrupted: it is late\n',
    })
  })

  it.each<[NodeJS.Signals, NodeJS.Signals]>([
    ['SIGINT', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
  ])('is ended by a second signal: %s, then %s', async (first, second) => {
    expect(await interrupted(stubborn, [first, second])).toMatchObject({ code: null, signal: second, stderr: '' })
  })

  it('gives what the work gives, and passes on its failures', async () => {
    expect(await interrupted('async () => [1]', [])).toMatchObject({ code: 0, stdout: '[1]', stderr: '' })
    const failed = await interrupted('async () => { throw new Error("no disk") }', [])
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('Error: no disk') })
  })
})

describe('progressLine', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** What the terminal shows after each report, given with the seconds before it. */
  function shown(reports: [seconds: number, progress: Progress][], columns = 100): (string | undefined)[] {
    let written: string | undefined
    const { show } = progressLine({ columns, write: (text) => (written = text) })
    return reports.map(([seconds, progress]) => {
      written = undefined
      vi.advanceTimersByTime(seconds * 1000)
      show(progress)
      return (written as string | undefined)?.slice('\r'.length, -'\x1b[K'.length)
    })
  }

  it('tells rate and time left by what was done since the first report', () => {
    const at = (done: number): Progress => ({ fraction: done / 1024, done, text: `${done} read`, detail: 'well' })
    expect(shown([512, 520, 768, 1024].map((done, i) => [i * 5, at(done)]))).toEqual([
      '████████████░░░░░░░░░░░░ 50%  512 read  well',
      '████████████░░░░░░░░░░░░ 50%  520 read  1.6/s  5:15 left  well',
      '██████████████████░░░░░░ 75%  768 read  17.1/s  0:15 left  well',
      '████████████████████████ 100%  1024 read  17.1/s  0:00 left  well',
    ])
  })

  it('tells bytes, and how many come in a second, in 80 columns', () => {
    const reports: Progress[] = []
    const report = showBytes('pulling', (progress) => reports.push(progress))
    for (const done of [0, 50 * 2 ** 20, 100 * 2 ** 20]) report?.({ done, total: 100 * 2 ** 20 })
    expect(
      shown(
        reports.map((progress, i) => [i * 2, progress]),
        80,
      ),
    ).toEqual([
      'pulling  0 B',
      'pulling  ████████████░░░░░░░░░░░░ 50%  50.0 MiB  25.0 MiB/s  0:02 left',
      'pulling  ████████████████████████ 100%  100 MiB  16.7 MiB/s  0:00 left',
    ])
    expect(showBytes('pulling', undefined)).toBeUndefined()
  })

  it('has no bar where the end is not known, and hours where it is far', () => {
    expect(
      shown([
        [0, { fraction: 0, done: 0, text: '0 read' }],
        [2, { fraction: 0, done: 3, text: '3 read' }],
      ]),
    ).toEqual(['0 read', '3 read  1.5/s'])
    expect(
      shown([
        [0, { fraction: 0 }],
        [40, { fraction: 0.01 }],
      ])[1],
    ).toBe(`${'░'.repeat(24)} 1%  1:06:00 left`)
  })

  it('begins anew with another label', () => {
    const rows = shown([
      [0, { label: 'loading', fraction: 0.1 }],
      [1, { label: 'loading', fraction: 0.6 }],
      [0.01, { label: 'asking', fraction: 0.5 }],
      [1, { label: 'asking', fraction: 0.75 }],
    ])
    expect(rows[1]).toMatch(/^loading .* 60% {2}0:00 left$/)
    expect(rows[2]).toMatch(/^asking .* 50%$/)
    expect(rows[3]).toMatch(/^asking .* 75% {2}0:01 left$/)
  })

  it('is written ten times a second at most, but for the end', () => {
    const rows = shown(
      [0, 0.05, 0.04, 0.02, 0.01, 0.01].map((seconds, i) => [seconds, { fraction: Math.min(i / 4, 1) }]),
    )
    expect(rows.map((row) => row !== undefined)).toEqual([true, false, false, true, true, false])
  })

  it('stays on one line of the terminal', () => {
    expect(shown([[0, { fraction: 0, text: 'x'.repeat(50) }]], 20)).toEqual(['x'.repeat(19)])
  })

  it('is cleared once, and only where something stands', () => {
    const written: string[] = []
    const { show, clear } = progressLine({ write: (text) => written.push(text) })
    clear()
    show({ fraction: 0.5, label: 'half' })
    clear()
    clear()
    expect(written).toEqual([expect.stringContaining('half'), '\r\x1b[K'])
  })
})

describe('on a terminal', () => {
  it.runIf(hasScript)('the line is gone when z1 eval prints its report', () => {
    const folder = mkdtempSync(join(tmpdir(), 'z1-progress-'))
    try {
      const file = join(folder, 'questions.jsonl')
      writeFileSync(file, '{"question":"What is 1 + 1?","answer":2}\n{"question":"What is 1 + 2?","answer":3}\n')
      const more = ['--threads', '1', '--context-size', '512', '--max-tokens', '8', '--windows', '0,4']
      const args = [program, 'eval', '--task', 'jsonl', '--data', file, '--output', join(folder, 'run'), ...more]
      const { output, status } = onTerminal(args)
      expect(status).toBe(0)
      const [before, report] = output.split('\r\x1b[K') as [string, string]
      expect(before.slice(before.lastIndexOf('\r'))).toMatch(/█{24} 100% {2}4\/4 /)
      expect(report).toMatch(/^jsonl/)
      expect(report).not.toContain('\x1b')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
