import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageRoot } from '../../lib/base/package.js'
import { loadAddon } from '../../lib/native/addon.js'
import { openEngine } from '../../lib/native/engine.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Of each library's symbols, the newest version that a file asks for: `{ GLIBC: [2, 34], … }`. */
function newestVersions(files: string[]): Record<string, number[]> {
  const newest: Record<string, number[]> = {}
  for (const file of files) {
    const { stdout } = spawnSync('nm', ['-D', '--undefined-only', '--with-symbol-versions', file], {
      encoding: 'utf8',
    })
    for (const [, library = '', version = ''] of stdout.matchAll(/@+(GLIBC|GLIBCXX|CXXABI)_([\d.]+)$/gm)) {
      const numbers = version.split('.').map(Number)
      const before = newest[library]
      if (!before || compareVersions(numbers, before) > 0) newest[library] = numbers
    }
  }
  return newest
}

function compareVersions(a: number[], b: number[]): number {
  const at = a.findIndex((number, i) => number !== b[i])
  return at < 0 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1)
}

describe.runIf(process.platform === 'linux')('the libraries of the system', () => {
  it('may be as old as the engine pack lets them be', async () => {
    const { engine } = await openEngine('cpu')
    // The package's other library, libllama-common, is never opened.
    const opened = readdirSync(engine.directory).filter((name) => /^lib(llama\.|ggml)/.test(name))
    const allowed = newestVersions(opened.map((name) => join(engine.directory, name)))
    const asked = newestVersions([join(root, 'build', 'Release', 'z1_native.node')])
    expect(Object.keys(asked).sort()).toEqual(['CXXABI', 'GLIBC', 'GLIBCXX'])
    for (const [library, version] of Object.entries(asked)) {
      const limit = allowed[library] as number[]
      const message = `${library}_${version.join('.')}, but the engine asks for no more than ${limit?.join('.')}`
      expect(compareVersions(version, limit), message).toBeLessThanOrEqual(0)
    }
  })
})

describe('loadAddon()', () => {
  it('loads the one of this checkout, once', () => {
    expect(packageRoot.replace(/[/\\]$/, '')).toBe(root.replace(/[/\\]$/, ''))
    const addon = loadAddon()
    expect(loadAddon()).toBe(addon)
    expect(addon.addonInfo().release).toMatch(/^v\d/)
  })

  describe('in a package of its own', () => {
    let folder: string
    const prebuilds = `${process.platform}-${process.arch}`
    beforeEach(() => {
      // As the module's own path will be told.
      folder = realpathSync(mkdtempSync(join(tmpdir(), 'z1-addon-')))
      cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{ "name": "z1-native", "type": "module" }')
    })
    afterEach(() => {
      rmSync(folder, { recursive: true })
    })

    function put(path: string, content?: string): string {
      const file = join(folder, path)
      mkdirSync(join(file, '..'), { recursive: true })
      if (content === undefined) cpSync(join(root, 'build', 'Release', 'z1_native.node'), file)
      else writeFileSync(file, content)
      return file
    }

    /** Loads it in a process of its own, in which no addon is loaded yet. */
    function load(...nodeOptions: string[]): { loaded: string } | { code: string; name: string; message: string } {
      const module = pathToFileURL(join(folder, 'dist', 'native', 'addon.js')).href
      const script = `
        const { loadAddon } = await import(${JSON.stringify(module)})
        try {
          const { release } = loadAddon().addonInfo()
          console.log(JSON.stringify({ loaded: release }))
        } catch ({ code, name, message }) {
          console.log(JSON.stringify({ code, name, message }))
        }`
      const { stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, '--input-type=module', '-e', script], {
        encoding: 'utf8',
      })
      expect(stderr).toBe('')
      return JSON.parse(stdout)
    }

    it('finds none: the message lists where it looked', () => {
      const built = join(folder, 'build', 'Release', 'z1_native.node')
      expect(load()).toEqual({
        code: 'ADDON_NOT_FOUND',
        name: 'Z1Error',
        message:
          `No addon for ${prebuilds} could be loaded:\n` +
          `  ${built}: not there\n` +
          `  ${join(folder, 'prebuilds', prebuilds, '*.node')}: not there\n` +
          'In a checkout, npm run compile makes one.',
      })
    })

    it('finds only broken ones: the message has the reason of each', () => {
      const built = put('build/Release/z1_native.node', 'no library')
      const prebuilt = put(`prebuilds/${prebuilds}/z1-native.node`, '')
      put(`prebuilds/${prebuilds}/readme.txt`, 'not an addon')
      const { code, message } = load() as { code: string; message: string }
      expect(code).toBe('ADDON_NOT_FOUND')
      const [, first, second, ...rest] = message.split('\n')
      for (const [line, file] of [
        [first, built],
        [second, prebuilt],
      ] as const) {
        expect(line?.startsWith(`  ${file}: `)).toBe(true)
        expect(line).not.toContain('not there')
        expect(line?.length).toBeGreaterThan(file.length + 10)
      }
      expect(rest).toEqual(['In a checkout, npm run compile makes one.'])
    })

    it.runIf(process.platform === 'linux')('on musl it says that glibc is needed', () => {
      put(`prebuilds/${prebuilds}/z1-native.node`, 'no library')
      // What Node's report lists in node:22-alpine; the rest of the process is on glibc.
      const sharedObjects = ['/lib/ld-musl-x86_64.so.1', '/usr/lib/libstdc++.so.6', '/usr/lib/libgcc_s.so.1']
      const alpine = `process.report.getReport = () => (${JSON.stringify({ header: {}, sharedObjects })})`
      const { code, message } = load('--import', `data:text/javascript,${encodeURIComponent(alpine)}`) as {
        code: string
        message: string
      }
      expect(code).toBe('ADDON_NOT_FOUND')
      expect(message).toMatch(/\nThis system's C library is musl \(Alpine Linux\); .* need glibc: .*$/)
    })

    it('takes the prebuilt one where none was built, or a broken one', () => {
      put(`prebuilds/${prebuilds}/z1-native.node`)
      expect(load()).toEqual({ loaded: loadAddon().addonInfo().release })
      put('build/Release/z1_native.node', 'no library')
      expect(load()).toEqual({ loaded: loadAddon().addonInfo().release })
    })

    it('takes the one that was built before the prebuilt one', () => {
      put('build/Release/z1_native.node')
      put(`prebuilds/${prebuilds}/z1-native.node`, 'no library')
      expect(load()).toEqual({ loaded: loadAddon().addonInfo().release })
    })
  })
})
