import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { BUNDLED, enginePackVersion, packageRoot, packageVersion, packed, unpacked } from '../../lib/base/package.js'

describe('unpacked()', () => {
  it.each([
    [
      '/opt/App/resources/app.asar/node_modules/z1-native/x',
      '/opt/App/resources/app.asar.unpacked/node_modules/z1-native/x',
    ],
    ['C:\\App\\resources\\app.asar\\models\\a.gguf', 'C:\\App\\resources\\app.asar.unpacked\\models\\a.gguf'],
    ['/a/other-name.asar/x', '/a/other-name.asar.unpacked/x'],
    // Only the archive itself: one inside it is a file of it.
    ['/a/app.asar/b/inner.asar/x', '/a/app.asar.unpacked/b/inner.asar/x'],
    // Nothing to do.
    ['/a/app.asar.unpacked/x', '/a/app.asar.unpacked/x'],
    ['/home/app.asarx/x', '/home/app.asarx/x'],
    ['/a/app.asar', '/a/app.asar'],
    ['/home/user/z1/models/a.gguf', '/home/user/z1/models/a.gguf'],
  ])('%s', (path, expected) => {
    expect(unpacked(path)).toBe(expected)
  })
})

describe('packed()', () => {
  it.each([
    ['/opt/App/resources/app.asar.unpacked/node_modules/x', '/opt/App/resources/app.asar/node_modules/x'],
    ['C:\\App\\resources\\app.asar.unpacked\\bins\\a.json', 'C:\\App\\resources\\app.asar\\bins\\a.json'],
    ['/a/app.asar.unpacked/b/inner.asar.unpacked/x', '/a/app.asar/b/inner.asar.unpacked/x'],
    // Nothing to do.
    ['/a/app.asar/x', '/a/app.asar/x'],
    ['/a/app.asar.unpacked', '/a/app.asar.unpacked'],
    ['/home/user/bins/a.json', '/home/user/bins/a.json'],
  ])('%s', (path, expected) => {
    expect(packed(path)).toBe(expected)
  })
})

it('the versions are those of package.json', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(packageVersion()).toBe(manifest.version)
  expect(enginePackVersion()).toBe(manifest.optionalDependencies['@node-llama-cpp/linux-x64'])
})

it('code that a bundler copied says to keep the package external', () => {
  // Inside the checkout, so that the copy finds its dependencies.
  mkdirSync(join(packageRoot, 'out'), { recursive: true })
  const place = mkdtempSync(join(packageRoot, 'out', 'bundled-'))
  try {
    cpSync(join(packageRoot, 'dist'), join(place, 'dist'), { recursive: true })
    const model = JSON.stringify(join(packageRoot, 'models', 'z1-mini.gguf'))
    const program = `import { Z1 } from ${JSON.stringify(pathToFileURL(join(place, 'dist', 'index.js')))}
      for (const options of [{}, { model: ${model} }]) await Z1.load(options).catch(({ code, message }) =>
        console.log(JSON.stringify([code, message.endsWith(${JSON.stringify(BUNDLED)})])))`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    expect(stdout.trim().split('\n')).toEqual(['["MODEL_NOT_FOUND",true]', '["ADDON_NOT_FOUND",true]'])
  } finally {
    rmSync(place, { recursive: true })
  }
})
