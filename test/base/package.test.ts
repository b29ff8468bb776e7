import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { enginePackVersion, packageVersion, unpacked } from '../../lib/base/package.js'

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

it('the versions are those of package.json', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(packageVersion()).toBe(manifest.version)
  expect(enginePackVersion()).toBe(manifest.optionalDependencies['@node-llama-cpp/linux-x64'])
})
