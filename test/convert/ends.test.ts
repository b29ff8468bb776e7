/** A conversion may end at any moment: aborted, interrupted, killed. There is never half a file under the final name. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { convert, quantize } from '../../lib/convert/index.js'
import { temporaryFolder } from '../support/folder.js'
import { checkpoint, type Tensor } from './checkpoint.js'

const folder = temporaryFolder()()
let model: string
let plain: string
beforeAll(async () => {
  model = checkpoint(join(folder, 'model'))
  plain = join(folder, 'plain.gguf')
  await convert({ model, output: plain })
})

let count = 0
function place(): { output: string; files: () => string[] } {
  const path = join(folder, `${count++}`)
  mkdirSync(path)
  return { output: join(path, 'out.gguf'), files: () => readdirSync(path).sort() }
}

describe.each([
  ['convert', 'f16', (options: object) => convert({ ...options, model, type: 'f16' } as never)],
  ['convert', 'q8_0', (options: object) => convert({ ...options, model, type: 'q8_0', threads: 1 } as never)],
  ['quantize', 'q8_0', (options: object) => quantize({ ...options, input: plain, type: 'q8_0', threads: 1 } as never)],
])('%s to %s', (name, type, run) => {
  test('aborted before it begins', async () => {
    const { output, files } = place()
    const reason = new Error('no')
    await expect(run({ output, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(files()).toEqual([])
  })

  // The second half of a conversion to a quantized type is llama.cpp's.
  test.each([0, 0.3, 0.6])('aborted after %s of the work', async (share) => {
    const { output, files } = place()
    writeFileSync(output, 'before')
    const controller = new AbortController()
    const reason = new Error('enough')
    const onProgress = (now: number) => {
      if (now >= share) controller.abort(reason)
    }
    await expect(run({ output, signal: controller.signal, onProgress })).rejects.toBe(reason)
    expect(files()).toEqual(['out.gguf'])
    expect(readFileSync(output, 'utf8')).toBe('before')
  })

  test.each([0, 0.6])('what onProgress throws after %s of the work ends it', async (share) => {
    const { output, files } = place()
    const reason = new Error('a mistake')
    const onProgress = (now: number) => {
      if (now >= share) throw reason
    }
    await expect(run({ output, onProgress })).rejects.toBe(reason)
    expect(files()).toEqual([])
  })

  test('several times at once onto one file', async () => {
    const { output, files } = place()
    await run({ output })
    const alone = readFileSync(output)
    rmSync(output)
    await Promise.all([run({ output }), run({ output }), run({ output })])
    expect(readFileSync(output).equals(alone)).toBe(true)
    expect(files()).toEqual(['out.gguf'])
  })

  test('by two processes at once onto one file: it is whole', async () => {
    const { output, files } = place()
    await run({ output })
    const alone = readFileSync(output)
    rmSync(output)
    const index = new URL('../../dist/convert/index.js', import.meta.url)
    const source = name === 'convert' ? { model } : { input: plain }
    const program = `
      import { ${name} } from ${JSON.stringify(index)}
      await ${name}(${JSON.stringify({ ...source, output, type, threads: 1 })})`
    const both = [1, 2].map(() =>
      spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' }),
    )
    const endings = await Promise.all(both.map((child) => once(child, 'exit')))
    expect(endings).toEqual([
      [0, null],
      [0, null],
    ])
    expect(readFileSync(output).equals(alone)).toBe(true)
    expect(files()).toEqual(['out.gguf'])
  })

  test('writes through no link that stands where its temporary files could', async () => {
    const { output } = place()
    const precious = join(folder, 'precious.gguf')
    for (const suffix of ['.partial', '.unquantized', '.unquantized.partial', '.tmp']) {
      writeFileSync(precious, 'precious')
      symlinkSync(precious, `${output}${suffix}`)
    }
    await run({ output })
    expect(readFileSync(precious, 'utf8')).toBe('precious')
    expect(lstatSync(output).isFile()).toBe(true)
  })

  test('killed, and run again', async () => {
    const { output, files } = place()
    const index = new URL('../../dist/convert/index.js', import.meta.url)
    const source = name === 'convert' ? { model } : { input: plain }
    const program = `
      import { ${name} } from ${JSON.stringify(index)}
      const options = ${JSON.stringify({ ...source, output, type, threads: 1 })}
      await ${name}({ ...options, onProgress: (now) => now >= 0.4 && process.kill(process.pid, 'SIGKILL') })`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'ignore' })
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
    expect(existsSync(output)).toBe(false)
    await run({ output })
    expect(files()).toEqual(['out.gguf'])
  })
})

describe('the command', () => {
  const z1 = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' })
    return { status, stdout, stderr }
  }

  test('converts and quantizes, and says what it wrote', () => {
    const { output, files } = place()
    const smaller = output.replace('out', 'smaller')
    expect(z1('convert', model, '--output', output, '--type', 'F16')).toEqual({
      status: 0,
      stdout: `${output}: 90.7 K parameters, f16, 189 KiB\n`,
      stderr: '',
    })
    const { status, stdout } = z1('quantize', output, smaller, '--type', 'q4_k_m', '--threads', '1')
    expect([status, stdout]).toEqual([0, `${smaller}: q4_k_m, ${(statSync(smaller).size / 1024).toFixed(1)} KiB\n`])
    expect(files()).toEqual(['out.gguf', 'smaller.gguf'])
  })

  test.each([
    ['convert', [], 'Expected one folder'],
    ['convert', ['a', '--type', 'q9'], 'Expected one of f32, f16'],
    ['convert', ['a', '--threads', 'x'], "Expected a number for --threads but received 'x'"],
    ['quantize', ['a', '--type', 'q8_0'], 'Expected two files'],
    ['quantize', ['a', 'b'], 'Expected --type'],
    ['quantize', ['a', 'b', '--fast'], "Unknown option '--fast'"],
  ])('%s %o is misuse', (command, args, message) => {
    const { status, stdout, stderr } = z1(command, ...args)
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`z1: ${message}`)
  })

  test('what goes wrong has its code and exit code 1', () => {
    const { status, stderr } = z1('convert', join(folder, 'nowhere'))
    expect(status).toBe(1)
    expect(stderr).toMatch(/^z1: No model at .*\(MODEL_NOT_FOUND\)\n$/)
  })

  const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

  /** A model whose six feed-forward matrices are 512 MiB of zeros, which the file system does not store. */
  function large(): string {
    const feedForward = 349_525
    let hole = 0
    const change = (tensors: Map<string, Tensor>) => {
      for (const [name, tensor] of [...tensors].filter(([name]) => name.includes('.mlp.'))) {
        const shape = tensor.shape.map((n) => (n === 64 ? n : feedForward))
        hole += feedForward * 64 * 4
        tensors.delete(name)
        // Last in the file.
        tensors.set(name, { shape, values: new Float32Array(0), dtype: 'F32', size: feedForward * 64 * 4 })
      }
    }
    const path = checkpoint(join(folder, 'large'), { change, config: { intermediate_size: feedForward } })
    const file = join(path, 'model.safetensors')
    truncateSync(file, statSync(file).size + hole)
    return path
  }

  test('interrupted, it says so and leaves nothing', async () => {
    const { output, files } = place()
    const args = [program, 'convert', large(), '--output', output, '--type', 'f16']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let told = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      told += text
    })
    const ended = once(child, 'exit')
    const written = () => files().map((name) => statSync(join(dirname(output), name)).size)
    while (!written().some((size) => size >= 1 << 20)) await sleep(10)
    child.kill('SIGINT')
    expect(await ended).toEqual([130, null])
    expect(told).toBe('z1: Interrupted: nothing was written\n')
    expect(files()).toEqual([])
  })

  test('a model of 512 MiB passes in little memory', async () => {
    const { output } = place()
    const index = new URL('../../dist/convert/index.js', import.meta.url)
    const program = `
      import { convert } from ${JSON.stringify(index)}
      await convert(${JSON.stringify({ model: join(folder, 'large'), output, type: 'f16' })})
      process.stdout.write(String(process.resourceUsage().maxRSS))`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program])
    let told = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      told += text
    })
    expect(await once(child, 'close')).toEqual([0, null])
    // KiB. Node alone takes 50 MiB.
    expect(Number(told)).toBeLessThan(200 << 10)
    rmSync(output)
  })
})
