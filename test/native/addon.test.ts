import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageRoot } from '../../lib/base/package.js'
import { loadAddon } from '../../lib/native/addon.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

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
    function load(): { loaded: string } | { code: string; name: string; message: string } {
      const module = pathToFileURL(join(folder, 'dist', 'native', 'addon.js')).href
      const script = `
        const { loadAddon } = await import(${JSON.stringify(module)})
        try {
          const { release } = loadAddon().addonInfo()
          console.log(JSON.stringify({ loaded: release }))
        } catch ({ code, name, message }) {
          console.log(JSON.stringify({ code, name, message }))
        }`
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
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
