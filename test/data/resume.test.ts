/** Runs that are killed, interrupted or stopped by a full disk: the same call goes on, to the same bytes. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { type CleanOptions, clean } from '../../lib/data/clean.js'
import { distill } from '../../lib/data/distill.js'
import { generateFile } from '../../lib/data/generate.js'
import { importRecords } from '../../lib/data/import.js'
import { readRecords } from '../../lib/data/io.js'
import type { JobOptions } from '../../lib/data/options.js'
import type { JobReport } from '../../lib/data/run-state.js'
import { select } from '../../lib/data/select.js'
import { temporaryFolder } from '../support/folder.js'
import { collect, jsonl, writeJsonl } from '../support/lines.js'
import { tableModel } from '../support/table-model.js'
import { recordsOf } from './records.js'

const path = temporaryFolder()
const child = fileURLToPath(new URL('child.mjs', import.meta.url))

/** Records of 8 KB, so that lines reach the file between two checkpoints; every tenth question is the one before. */
const inputs = [path('in-1.jsonl'), path('in-2.jsonl')]
const questions = path('questions.jsonl')
const model = path('models/echo.gguf')

beforeAll(() => {
  const records = recordsOf(500, 8000).map((record, i, all) => {
    return i % 10 === 9 ? { ...record, question: all[i - 1]?.question } : record
  })
  writeJsonl(inputs[0] as string, records.slice(0, 200))
  writeJsonl(inputs[1] as string, records.slice(200))
  writeJsonl(questions, recordsOf(10))
  tableModel(path('models'), 'echo', { extraTokens: ['Four'], rows: { '\n': 'Four' } })
})

function runInChild(
  run: string,
  options: object,
  { flags = [], ...more }: { flags?: string[]; [key: string]: unknown } = {},
) {
  const request = JSON.stringify({ run, options, ...more })
  return spawnSync(process.execPath, [...flags, child, request], { encoding: 'utf8' })
}

const selection = { inputs, tokens: 60_000, mode: 'random' } as const
const generation = { seed: 3, count: 1200 }
const distillation = { inputs: [questions], model, limit: 16, parallel: 2, load: { threads: 1 }, tokenizer: model }

describe('killed in the middle, it goes on and gives the same bytes:', () => {
  it.each<[string, string, (options: JobOptions) => Promise<JobReport>, object, { waitAt?: number; killAt: number }]>([
    ['clean', 'jsonl', (base) => clean({ ...base, inputs }), { inputs }, { waitAt: 150, killAt: 400 }],
    ['select', 'parquet', (base) => select({ ...base, ...selection }), selection, { waitAt: 250, killAt: 480 }],
    ['importRecords', 'jsonl', (base) => importRecords({ ...base, inputs }), { inputs }, { waitAt: 50, killAt: 300 }],
    [
      'generateFile',
      'jsonl',
      (base) => generateFile({ ...base, ...generation }),
      generation,
      { waitAt: 400, killAt: 900 },
    ],
    ['distill', 'jsonl', (base) => distill({ ...base, ...distillation }), distillation, { killAt: 4 }],
    ['distill', 'parquet', (base) => distill({ ...base, ...distillation }), distillation, { killAt: 9 }],
  ])('%s to %s', async (name, format, run, options, moments) => {
    const [whole, killed] = [path(`${name}-whole.${format}`), path(`${name}-killed.${format}`)]
    const report = await run({ output: whole })

    const { signal, stderr } = runInChild(name, { ...options, output: killed }, moments)
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
    const state = JSON.parse(readFileSync(`${killed}.state.json`, 'utf8'))
    expect(state.done).toBe(false)
    expect(state.report.read).toBeGreaterThan(moments.waitAt ?? 0)
    expect(state.report.read).toBeLessThanOrEqual(moments.killAt)
    const lines = format === 'parquet' ? `${killed}.partial.jsonl` : killed
    expect(statSync(lines).size).toBeGreaterThanOrEqual(state.bytes)
    appendFileSync(lines, '{"id":"torn","ques')

    expect(await run({ output: killed })).toEqual(report)
    expect(readFileSync(killed).equals(readFileSync(whole))).toBe(true)
    expect(existsSync(`${killed}.partial.jsonl`)).toBe(false)
  })
})

describe('a run', () => {
  it('that was done does nothing again', async () => {
    const output = path('done.jsonl')
    const report = await clean({ inputs, output })
    const { mtimeMs } = statSync(output)
    let steps = 0
    expect(await clean({ inputs, output, onProgress: () => steps++ })).toEqual(report)
    expect([steps, statSync(output).mtimeMs]).toEqual([0, mtimeMs])
  })

  it('that was interrupted rejects with the reason and goes on', async () => {
    const output = path('interrupted.parquet')
    const controller = new AbortController()
    const onProgress = ({ read }: { read: number }) => read === 300 && controller.abort(new Error('enough'))
    await expect(clean({ inputs, output, signal: controller.signal, onProgress })).rejects.toThrow('enough')
    expect(existsSync(output)).toBe(false)
    const first: number[] = []
    await clean({ inputs, output, onProgress: ({ read }) => first.push(read) })
    expect(first[0]).toBe(301)
    await clean({ inputs, output: path('uninterrupted.parquet') })
    expect(readFileSync(output).equals(readFileSync(path('uninterrupted.parquet')))).toBe(true)
  })

  it('that a full disk ended goes on when there is room', async () => {
    const [output, whole] = [path('full.jsonl'), path('roomy.jsonl')]
    const options: CleanOptions = { inputs, output, near: false }
    const request = JSON.stringify({ run: 'clean', options })
    // A limit on the size of files instead of a full disk; Node gets an error for it where the signal is ignored.
    const limited = `trap '' XFSZ; ulimit -f 1600; exec "$0" "$@"`
    const ended = spawnSync('sh', ['-c', limited, process.execPath, child, request], { encoding: 'utf8' })
    expect(ended.status).toBe(1)
    expect(ended.stderr).toMatch(`Cannot write ${output}: EFBIG`)
    const report = await clean(options)
    expect(report).toEqual(await clean({ ...options, output: whole }))
    expect(readFileSync(output).equals(readFileSync(whole))).toBe(true)
  })

  it('that fails keeps what was done before', async () => {
    const [input, output] = [path('late.jsonl'), path('late-out.jsonl')]
    const good = readFileSync(writeJsonl(path('good.jsonl'), recordsOf(5)))
    writeFileSync(input, Buffer.concat([good, Buffer.from('nonsense\n')]))
    await expect(clean({ inputs: [input], output })).rejects.toThrow(`${input}:6: not JSON`)
    expect(await collect(readRecords(output))).toHaveLength(5)
  })

  it('is told from one with other options, other input, or of another kind', async () => {
    const [input, output] = [writeJsonl(path('same.jsonl'), recordsOf(5)), path('pinned.jsonl')]
    await clean({ inputs: [input], output })
    await expect(clean({ inputs: [input], output, threshold: 0.5 })).rejects.toThrow(
      `${output} was begun with threshold 0.8, not 0.5: give that again, or --force to begin anew`,
    )
    await expect(select({ inputs: [input], output, tokens: 5, mode: 'longest' })).rejects.toThrow('another command')
    writeJsonl(input, recordsOf(6))
    await expect(clean({ inputs: [input], output })).rejects.toThrow('another input')
    expect((await clean({ inputs: [input], output, force: true })).kept).toBe(6)
  })

  it('writes through no link that stands where its side files will', async () => {
    const [precious, output] = [path('precious.jsonl'), path('linked.parquet')]
    for (const suffix of ['.partial', '.partial.jsonl', '.state.json', '.state.json.partial']) {
      writeFileSync(precious, 'precious')
      symlinkSync(precious, `${output}${suffix}`)
    }
    expect((await clean({ inputs: [writeJsonl(path('few.jsonl'), recordsOf(5))], output, force: true })).kept).toBe(5)
    expect(readFileSync(precious, 'utf8')).toBe('precious')
    expect(await collect(readRecords(output))).toHaveLength(5)
  })

  it('writes to no file that it reads, whatever its name, and not when forced either', async () => {
    const input = writeJsonl(path('read.jsonl'), recordsOf(5))
    const before = readFileSync(input)
    linkSync(input, path('hard.jsonl'))
    symlinkSync(input, path('soft.jsonl'))
    linkSync(input, path('side.parquet.partial.jsonl'))
    linkSync(input, path('state.jsonl.state.json'))
    for (const name of ['hard.jsonl', 'soft.jsonl', 'side.parquet', 'state.jsonl']) {
      const output = path(name)
      await expect(clean({ inputs: [input], output, force: true })).rejects.toThrow('none of the inputs')
      await expect(clean({ inputs, against: [input], output, force: true })).rejects.toThrow('none of the inputs')
    }
    const generated = { ...generation, output: path('hard.jsonl'), force: true }
    await expect(generateFile({ ...generated, tokenizer: input })).rejects.toThrow('none of the inputs')
    expect(readFileSync(input).equals(before)).toBe(true)
  })

  it('leaves alone a file that has the name of its side file', async () => {
    const input = writeJsonl(path('plain.jsonl'), recordsOf(5))
    const output = path('mine.parquet')
    const own = writeJsonl(`${output}.partial.jsonl`, [{ precious: true }])
    const mine = readFileSync(own)
    for (const force of [false, true]) {
      await expect(clean({ inputs: [input], output, force })).rejects.toThrow(
        `${own} already exists and was not written by this command`,
      )
      expect(readFileSync(own).equals(mine)).toBe(true)
    }
    rmSync(own)
    await clean({ inputs: [input], output })
    writeFileSync(own, mine)
    await clean({ inputs: [input], output })
    expect(readFileSync(own).equals(mine)).toBe(true)
    await expect(clean({ inputs: [input], output, force: true })).rejects.toThrow('already exists')
  })

  it('keeps another one off its output, until it is killed', async () => {
    const [output, whole] = [path('busy.jsonl'), path('unbusy.jsonl')]
    const request = JSON.stringify({ run: 'clean', options: { inputs, output }, waitAt: 200, waitFor: 60_000 })
    const other = spawn(process.execPath, [child, request])
    const ended = once(other, 'exit')
    const written = () => existsSync(output) && statSync(output).size > 0
    while (!written() && other.exitCode === null) await sleep(20)
    for (const force of [false, true]) {
      await expect(clean({ inputs, output, force })).rejects.toThrow(`is being written by process ${other.pid}`)
    }
    other.kill('SIGKILL')
    await ended
    const report = await clean({ inputs, output })
    expect(report).toEqual(await clean({ inputs, output: whole }))
    expect(readFileSync(output).equals(readFileSync(whole))).toBe(true)
    expect(readdirSync(path()).filter((name) => name.endsWith('.lock'))).toEqual([])
  })

  it('leaves alone what it did not begin, and what was shortened since', async () => {
    const input = writeJsonl(path('in.jsonl'), recordsOf(5))
    const output = writeJsonl(path('mine.jsonl'), [{ precious: true }])
    await expect(clean({ inputs: [input], output })).rejects.toThrow(
      `${output} already exists and was not written by this command`,
    )
    await expect(clean({ inputs: [input], output: input, force: true })).rejects.toThrow(TypeError)
    await clean({ inputs: [input], output, force: true })
    const state = JSON.parse(readFileSync(`${output}.state.json`, 'utf8'))
    writeFileSync(`${output}.state.json`, JSON.stringify({ ...state, done: false }))
    truncateSync(output, 10)
    await expect(clean({ inputs: [input], output })).rejects.toThrow('is shorter than it was')
    writeFileSync(`${output}.state.json`, '{')
    await expect(clean({ inputs: [input], output })).rejects.toThrow('is damaged')
  })
})

describe('memory', () => {
  it('does not grow with the set', () => {
    const big = path('big.jsonl')
    const response = 'word '.repeat(40)
    const lines = Array.from({ length: 1000 }, (_, i) => {
      return { id: `${i}`, question: `Question ${i}`, response, token_num_qwen: 300 + i }
    })
    for (let i = 0; i < 100; i++) appendFileSync(big, jsonl(lines))
    // 27 MB of text: as objects they do not fit this heap.
    const run = (name: string, options: object) => {
      const { stdout, stderr } = runInChild(name, { inputs: [big], ...options }, { flags: ['--max-old-space-size=36'] })
      expect(stderr).toBe('')
      return JSON.parse(stdout) as { peak: number; report: JobReport }
    }
    const selected = run('select', { output: path('selected.parquet'), tokens: 4e7, mode: 'longest' })
    expect(selected.report).toMatchObject({ read: 100_000, kept: 35_680 })
    const cleaned = run('clean', { output: path('cleaned.jsonl') })
    expect(cleaned.report).toMatchObject({ read: 100_000, kept: 1000 })
    // Megabytes of the whole process; Node alone has 50.
    expect(Math.max(selected.peak, cleaned.peak)).toBeLessThan(200)
  })
})
