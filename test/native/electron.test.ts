/**
 * The package inside an Electron application, packed as docs/electron.md says. There is no Electron here: `fs` and the
 * loaders read the archive as its own do, through test/support/asar.mjs.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createPackageWithOptions, listPackage, statFile } from '@electron/asar'
import { beforeAll, describe, expect, it } from 'vitest'
import { openEngine } from '../../lib/native/engine.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()
const checkout = new URL('../..', import.meta.url).pathname
const docs = readFileSync(new URL('../../docs/electron.md', import.meta.url), 'utf8')
const shim = new URL('../support/asar.mjs', import.meta.url).href
const platform = `${process.platform}-${process.arch}`

const program = `
  import { Z1 } from 'z1-native'
  const z1 = await Z1.load({ threads: 1, contextSize: 512 })
  const { text } = await z1.reason('What is 2 + 3?', { thinkingWindow: 16, maxTokens: 16 })
  console.log(JSON.stringify({ engine: z1.model.engine, answered: text.length > 0 }))
  await z1.dispose()`

/** An application with its dependencies, as npm installs them. */
async function application(app: string): Promise<void> {
  const { engine, candidates } = await openEngine('cpu')
  const { source } = candidates.find(({ taken }) => taken) as { source: string }
  const modules = (...names: string[]) => join(app, 'node_modules', ...names)
  const copy = (from: string, to: string) => cpSync(from, to, { recursive: true, dereference: true })
  mkdirSync(modules('z1-native', 'prebuilds', platform), { recursive: true })
  writeFileSync(join(app, 'package.json'), '{ "name": "app", "type": "module" }')
  writeFileSync(join(app, 'main.js'), program)
  for (const part of ['dist', 'models', 'package.json']) copy(join(checkout, part), modules('z1-native', part))
  copy(
    join(checkout, 'build', 'Release', 'z1_native.node'),
    modules('z1-native', 'prebuilds', platform, 'z1-native.node'),
  )
  // All that the entry that loads models imports of node_modules, but for engines.
  const parser = '@eslint-community/regexpp'
  copy(join(checkout, 'node_modules', parser), modules(parser))
  if (source.startsWith('@')) copy(join(engine.directory, '..', '..'), modules(source))
  else copy(engine.directory, modules('z1-native', 'out', 'engine', 'cpu'))
}

/** The patterns after this word in the documentation. */
function documented(word: string): string[] {
  const [, value] = new RegExp(`${word}: (\\[[^\\]]*\\]|'[^']*')`).exec(docs) as unknown as [string, string]
  return Array.from(value.matchAll(/'([^']*)'/g), (match) => match[1] as string)
}

// Forge has @electron/asar pack with its one pattern, also in folders whose name begins with a dot, as pnpm's does.
// electron-builder takes several, and its `**` goes into such folders too, which @electron/asar's does not.
describe.each([
  ['electron-builder', 'asarUnpack', 'app'],
  ['electron-forge', 'unpack', '.app'],
])('%s', (name, option, app) => {
  let archive: string

  beforeAll(async () => {
    await application(folder(name, app))
    archive = folder(name, 'app.asar')
    const patterns = documented(option)
    await createPackageWithOptions(folder(name, app), archive, {
      unpack: patterns.length === 1 ? (patterns[0] as string) : `{${patterns.join(',')}}`,
    })
  })

  it('unpacks what native code opens, and nothing else', () => {
    const unpacked = (path: string) => 'unpacked' in statFile(archive, path.slice(1))
    const files = listPackage(archive, { isPack: false }).filter(
      (path) => !('files' in statFile(archive, path.slice(1))),
    )
    const native = /\.(node|gguf|dll|dylib|so(\.\d+)*)$/
    expect(files.filter(unpacked)).toEqual(files.filter((path) => native.test(path)))
    for (const file of ['z1-native.node', 'z1-mini.gguf', 'libllama'])
      expect(files.some((path) => path.includes(file) && unpacked(path))).toBe(true)
  })

  it('the application loads the embedded model and answers', async () => {
    const main = pathToFileURL(join(archive, 'main.js')).href
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...['--import', shim, '--input-type=module', '-e', `await import(${JSON.stringify(main)})`],
    ])
    expect(JSON.parse(stdout)).toEqual({ engine: expect.stringContaining(`${archive}.unpacked`), answered: true })
  })
})
