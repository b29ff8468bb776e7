/**
 * Which engine is opened, and why one is not. Every test has a process of its own: an engine stays open until the process
 * ends. Most work on copies of the engine pack in which one thing is wrong.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { loadAddon } from '../../lib/native/addon.js'
import { openEngine } from '../../lib/native/engine.js'
import { calls, type Outcome } from '../support/calls.js'
import { temporaryFolder } from '../support/folder.js'
import { testModel } from '../support/models.js'

const folder = temporaryFolder()
/** The installed pack, or an engine that was built in this checkout. */
let engine: string
let model: string

beforeAll(async () => {
  engine = (await openEngine('cpu')).engine.directory
  model = testModel('qwen2-bytes')
})

const { release, llamaVersion, ggmlVersion } = loadAddon().addonInfo()
const recordFile = '_nlcBuildMetadata.json'
const record = (version: string) => JSON.stringify({ buildOptions: { llamaCpp: { release: version } } })

/** A copy of the engine's directory. */
function copy(name: string, omit: RegExp = /^$/): string {
  const directory = folder(name)
  mkdirSync(directory)
  for (const file of readdirSync(engine)) {
    if (!omit.test(file)) cpSync(join(engine, file), join(directory, file))
  }
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

/** A directory with these files. */
function made(name: string, files: Record<string, string>): string {
  const directory = folder(name)
  mkdirSync(directory)
  for (const [file, content] of Object.entries(files)) writeFileSync(join(directory, file), content)
  return directory
}

const load = (directory: string, as?: string) => ({
  load: { model, engine: directory, contextSize: 64, threads: 1 },
  as,
})
const ask = (as: string) => ({
  ask: as,
  input: 'hi',
  options: { template: false, thinkingWindow: 4, maxTokens: 4, hint: ' So' },
})
const opened = { value: expect.any(String) }

/** Refused with this code and message; and the right engine still opens in the same process and answers. */
async function refused(directory: string, code: string, message: RegExp): Promise<void> {
  const [first, right, answer] = await calls([load(directory), load(engine, 'right'), ask('right')])
  expect(first).toEqual({ name: 'Z1Error', code, message: expect.stringMatching(message) })
  expect(right).toEqual({ value: engine })
  expect(answer).toEqual(opened)
}

describe('a directory that is no engine', () => {
  test('nothing there', async () => {
    await refused(folder('nothing'), 'ENGINE_NOT_FOUND', /^No engine directory at .*nothing$/)
  })

  test('a file', async () => {
    await refused(model, 'ENGINE_NOT_FOUND', /^No engine directory at .*\.gguf$/)
  })

  test('no libraries', async () => {
    await refused(made('empty', {}), 'ENGINE_NOT_FOUND', /^No libllama in .*empty$/)
    await refused(
      made('text', { 'llama.txt': '', [recordFile]: record(release) }),
      'ENGINE_NOT_FOUND',
      /^No libllama in /,
    )
  })

  test('a libllama that is no library', async () => {
    const directory = copy('no-library', /llama\./)
    writeFileSync(join(directory, 'libllama.so'), 'This is not a library.')
    await refused(directory, 'ENGINE_NOT_FOUND', /^Cannot open .*libllama\.so: \S/)
  })

  test('a libllama that is cut short', async () => {
    const directory = copy('cut')
    const file = readdirSync(directory).find((name) => /^(lib)?llama\./.test(name)) as string
    const bytes = readFileSync(join(directory, file))
    writeFileSync(join(directory, file), bytes.subarray(0, 4096))
    await refused(directory, 'ENGINE_NOT_FOUND', /^Cannot open .*llama.*: \S/)
  })
})

describe('an engine of another release', () => {
  test.each([
    ['another one', record('v0.4.9'), 'llama.cpp v0.4.9'],
    ['a longer one', record(`${release}.1`), `llama.cpp ${release}.1`],
    ['no record', undefined, 'llama.cpp of an unknown release'],
    ['a record that is no JSON', 'v0.5.0', 'llama.cpp of an unknown release'],
    ['a record without a release', '{"buildOptions":{}}', 'llama.cpp of an unknown release'],
  ])('%s', async (name, content, found) => {
    const directory = copy(name, new RegExp(recordFile))
    if (content !== undefined) writeFileSync(join(directory, recordFile), content)
    const [outcome, right] = await calls([load(directory), load(engine)])
    expect(outcome?.code).toBe('ENGINE_MISMATCH')
    expect(outcome?.message).toContain(`The engine in ${directory} is ${found}`)
    expect(outcome?.message).toContain(`this build needs ${release}`)
    expect(right).toEqual({ value: engine })
  })

  describe('whose record is wrong', () => {
    const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)
    const reason = compiler && process.platform === 'linux' ? undefined : 'there is no compiler to make a libllama with'
    if (reason) console.log(`Skipped: libraries of another release, ${reason}`)

    /** A library with these functions of the table in native/llama/api.h, and nothing behind them. */
    function stub(name: string, functions: string[], versions: { llama: string; ggml: string }): string {
      const directory = copy(name, /llama\./)
      const source = join(directory, 'stub.c')
      const results: Record<string, string> = { llama_version: versions.llama, ggml_version: versions.ggml }
      const code = functions.map((one) => `const char * ${one}(void) { return ${JSON.stringify(results[one] ?? '')}; }`)
      writeFileSync(source, code.join('\n'))
      const library = join(directory, 'libllama.so')
      expect(spawnSync(compiler as string, ['-w', '-shared', '-fPIC', '-o', library, source]).status).toBe(0)
      return directory
    }

    const table = readFileSync(new URL('../../native/llama/api.h', import.meta.url), 'utf8')
    const functions = Array.from(table.matchAll(/X\((\w+)\)/g), (match) => match[1] as string)

    test.skipIf(reason)('a function is missing', async () => {
      expect(functions).toContain('llama_decode')
      const most = functions.filter((name) => name !== 'llama_decode')
      const directory = stub('missing', most, { llama: llamaVersion, ggml: ggmlVersion })
      await refused(directory, 'ENGINE_MISMATCH', new RegExp(`has no llama_decode: it is not llama\\.cpp ${release}$`))
    })

    test.skipIf(reason).each([
      ['llama.cpp', { llama: '0.4.9', ggml: ggmlVersion }],
      ['ggml', { llama: llamaVersion, ggml: '0.24.7' }],
    ])('the version of %s is another', async (name, versions) => {
      const directory = stub(`version-${name}`, functions, versions)
      const found = `is llama\\.cpp ${versions.llama} with ggml ${versions.ggml}; this build needs llama\\.cpp ${llamaVersion}`
      await refused(directory, 'ENGINE_MISMATCH', new RegExp(found))
    })
  })
})

describe('CPU backends', () => {
  test('none', async () => {
    await refused(copy('no-cpu', /ggml-cpu/), 'ENGINE_NOT_FOUND', /^No CPU backend for this processor in .*no-cpu$/)
  })

  test('none that can be opened', async () => {
    const directory = copy('broken-cpu', /ggml-cpu/)
    for (const name of ['libggml-cpu-haswell.so', 'libggml-cpu-x64.so'])
      writeFileSync(join(directory, name), 'not a library')
    await refused(
      directory,
      'ENGINE_NOT_FOUND',
      /^No CPU backend for this processor in .*broken-cpu \(libggml-cpu-x64\.so: \S/,
    )
  })

  test('a broken one beside others is left out', async () => {
    const directory = copy('one-broken')
    writeFileSync(join(directory, 'libggml-cpu-broken.so'), 'not a library')
    writeFileSync(join(directory, 'libggml-vulkan.so'), 'not a library')
    expect(await calls([load(directory, 'it'), ask('it')])).toEqual([{ value: directory }, opened])
  })
})

describe('one engine in a process', () => {
  test('a second one is refused, and the first goes on working', async () => {
    const second = copy('second')
    const [first, alone, conflict, answer, again, auto] = await calls([
      load(engine, 'first'),
      ask('first'),
      load(second),
      ask('first'),
      load(engine),
      load('auto'),
    ])
    expect(first).toEqual({ value: engine })
    expect(conflict?.code).toBe('ENGINE_CONFLICT')
    expect(conflict?.message).toMatch(/^[^\n]+$/)
    expect(conflict?.message).toContain(engine)
    expect(conflict?.message).toContain(second)
    expect(answer).toEqual(alone)
    expect([again, auto]).toEqual([{ value: engine }, { value: engine }])
  })

  test('many refused ones, then the right one', async () => {
    const wrong = [folder('nothing'), made('nothing-in-it', {}), copy('no-cpu-2', /ggml-cpu/)]
    const steps = [...wrong, 'metal', ...wrong, 'vulkan'].map((directory) => load(directory))
    const outcomes = await calls([...steps, load(engine, 'right'), ask('right')])
    expect(outcomes.slice(0, -2).map(({ code }: Outcome) => code)).toEqual(steps.map(() => 'ENGINE_NOT_FOUND'))
    expect(outcomes.slice(-2)).toEqual([{ value: engine }, opened])
  })

  test('the same directory by other names', async () => {
    const link = folder('link')
    symlinkSync(engine, link)
    const directory = dirname(engine)
    const outcomes = await calls(
      [load(link, 'linked'), load(engine), load(`.${'/'}${relative(directory, engine)}`), ask('linked')],
      {
        cwd: directory,
      },
    )
    expect(outcomes).toEqual([{ value: engine }, { value: engine }, { value: engine }, opened])
  })

  test('from a folder of links to its files, as a source build leaves', async () => {
    const links = folder('links')
    mkdirSync(links)
    for (const file of readdirSync(engine)) symlinkSync(join(engine, file), join(links, file))
    expect(await calls([load(links, 'it'), ask('it')])).toEqual([{ value: links }, opened])
  })
})

describe('a choice by name', () => {
  const notInstalled = ['cuda', 'vulkan'].filter(
    (name) =>
      !existsSync(
        new URL(`../node_modules/@node-llama-cpp/${process.platform}-${process.arch}-${name}`, import.meta.url),
      ),
  )

  test.each(notInstalled)('%s, without its pack', async (name) => {
    const [outcome] = await calls([load(name)])
    expect(outcome).toMatchObject({ name: 'Z1Error', code: 'ENGINE_NOT_FOUND' })
    expect(outcome?.message).toMatch(
      new RegExp(`@node-llama-cpp/[\\w-]+ is not installed \\(npm install @node-llama-cpp/[\\w-]+-${name}@[\\d.]+\\)`),
    )
  })

  test.skipIf(process.platform === 'darwin')('metal, on a system that has none', async () => {
    const [outcome] = await calls([load('metal')])
    expect(outcome).toEqual({
      name: 'Z1Error',
      code: 'ENGINE_NOT_FOUND',
      message: `There is no engine for metal on ${process.platform}-${process.arch}`,
    })
  })

  test.skipIf(process.platform === 'darwin')('auto and cpu take the one that is there', async () => {
    expect(await calls([load('auto'), load('cpu')])).toEqual([{ value: engine }, { value: engine }])
  })
})

test('a backend that opens and finds no device leaves the process whole', async () => {
  // A backend's library under another's name is opened, closed and opened again, with ggml behind it.
  const directory = copy('renamed')
  const cpu = readdirSync(directory).find((file) => /ggml-cpu-x64|ggml-cpu\b/.test(file))
  if (!cpu) return
  cpSync(join(directory, cpu), join(directory, 'libggml-cuda.so'))
  const script = `
    import { loadAddon } from ${JSON.stringify(new URL('../../dist/native/addon.js', import.meta.url).href)}
    const { directory } = await loadAddon().engineOpen(${JSON.stringify(directory)}, 'cuda')
    process.stdout.write(directory)`
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  expect({ status, signal, stdout, stderr }).toEqual({ status: 0, signal: null, stdout: directory, stderr: '' })
})
