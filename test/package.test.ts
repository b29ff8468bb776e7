/** What a release is made by: the workflow builds for the platforms that have an engine, and what is packed is looked at. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from './support/folder.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = temporaryFolder()
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const { scripts, optionalDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>

/** `<platform>-<arch>` of Node for the name of an engine pack. */
const platforms = Object.keys(optionalDependencies as object)
  .map((name) =>
    name
      .replace('@node-llama-cpp/', '')
      .replace(/^mac-/, 'darwin-')
      .replace(/^win-/, 'win32-')
      .replace(/-metal$/, ''),
  )
  .sort()

describe('the workflow', () => {
  const workflows = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`)

  it('builds the addon for every platform that has an engine pack', () => {
    const built = Array.from(read('.github/workflows/addon.yml').matchAll(/platform: ([\w-]+)/g), ([, name]) => name)
    expect(built.sort()).toEqual(platforms)
  })

  it.each([...workflows, '.ci/run', '.ci/long'])('%s runs what there is', (file) => {
    const text = read(file)
    const commands = Array.from(text.matchAll(/npm run ([\w:]+)/g), ([, name]) => name as string)
    expect(commands.filter((name) => !(name in (scripts as object)))).toEqual([])
    const files = Array.from(
      text.matchAll(/\b(?:node|bash) ((?:scripts\/|\.ci\/)[\w./-]+)/g),
      ([, path]) => path as string,
    )
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([])
    expect(commands.length + files.length).toBeGreaterThan(0)
  })
})

describe('scripts/check-prebuilds.mjs', () => {
  const bytes = (...parts: [at: number, values: number[]][]) => {
    const file = new Uint8Array(256)
    for (const [at, values] of parts) file.set(values, at)
    return file
  }
  // The first bytes of a library there, by the specifications: e_machine of ELF, cputype of Mach-O, Machine of PE.
  const LIBRARIES: Record<string, Uint8Array> = {
    'linux-x64': bytes([0, [0x7f, 0x45, 0x4c, 0x46, 2, 1]], [18, [0x3e, 0]]),
    'linux-arm64': bytes([0, [0x7f, 0x45, 0x4c, 0x46, 2, 1]], [18, [0xb7, 0]]),
    'darwin-x64': bytes([0, [0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1]]),
    'darwin-arm64': bytes([0, [0xcf, 0xfa, 0xed, 0xfe, 12, 0, 0, 1]]),
    'win32-x64': bytes([0, [0x4d, 0x5a]], [60, [0x80]], [0x80, [0x50, 0x45, 0, 0, 0x64, 0x86]]),
    'win32-arm64': bytes([0, [0x4d, 0x5a]], [60, [0x80]], [0x80, [0x50, 0x45, 0, 0, 0x64, 0xaa]]),
  }

  function check(name: string, files: Record<string, Uint8Array | string>) {
    const prebuilds = folder(name)
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(prebuilds, path)), { recursive: true })
      writeFileSync(join(prebuilds, path), content)
    }
    const { status, stderr } = spawnSync(process.execPath, ['scripts/check-prebuilds.mjs', prebuilds], {
      cwd: root,
      encoding: 'utf8',
    })
    return { status, lines: stderr.trim().split('\n') }
  }

  const all = Object.fromEntries(
    Object.entries(LIBRARIES).map(([name, library]) => [`${name}/z1-native.node`, library] as const),
  )

  it('takes one of each platform', () => {
    expect(Object.keys(LIBRARIES).sort()).toEqual(platforms)
    expect(check('complete', all)).toEqual({ status: 0, lines: [''] })
  })

  it('knows the addon that was built here', () => {
    const built = readFileSync(join(root, 'build/Release/z1_native.node'))
    const here = `${process.platform}-${process.arch}`
    expect(check('built', { ...all, [`${here}/z1-native.node`]: built })).toEqual({ status: 0, lines: [''] })
  })

  it('refuses what is missing, of another platform, or no library', () => {
    const { 'darwin-x64/z1-native.node': _, ...others } = all
    const wrong = {
      ...others,
      'linux-arm64/z1-native.node': LIBRARIES['linux-x64'] as Uint8Array,
      'win32-x64/z1-native.node': 'version https://git-lfs.github.com/spec/v1',
    }
    const { status, lines } = check('wrong', wrong)
    expect(status).toBe(1)
    expect(lines.sort()).toEqual([
      'darwin-x64: expected one addon but found 0',
      'linux-arm64: z1-native.node is of linux-x64',
      'win32-x64: z1-native.node is no library',
    ])
    rmSync(folder('wrong'), { recursive: true })
  })
})
