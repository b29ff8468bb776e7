// The package as users get it: the tarball of a release, and an empty project into which npm installs it.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { capture, npm, root, run } from './common.mjs'

/** Makes the tarball in the folder; returns its name, its files and its size in bytes. */
export function makeTarball(folder) {
  npm(run, ['run', 'prebuild'])
  // prebuildify moved the addon away from where the checkout's own tests look for it.
  npm(run, ['run', 'compile'])
  const [{ filename, files, size }] = JSON.parse(
    npm(capture, ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]),
  )
  return { filename, files: files.map(({ path }) => path), size }
}

/** Makes the folder a project that depends on the tarball in it, without install scripts. */
export function installTarball(folder, filename) {
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  npm(run, ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${filename}`], { cwd: folder })
}

/** Folder of a package of the registry, fetched once, also where it is made for another platform. */
export function fetchPackage(name, version) {
  const folder = join(root, 'out', 'packages', `${name.replaceAll('/', '-')}-${version}`)
  if (!existsSync(join(folder, 'package', 'package.json'))) {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    const packed = npm(capture, [
      ...['pack', `${name}@${version}`, '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder],
    ])
    const [{ filename }] = JSON.parse(packed)
    run('tar', ['-xzf', filename], { cwd: folder })
    rmSync(join(folder, filename))
  }
  return join(folder, 'package')
}

/** What an installed package must be able to do. Prints the usage of one question. */
export const QUESTION = `
import { Z1 } from 'z1-native'
const z1 = await Z1.load({ threads: 1 })
const { tokens, usage } = await z1.reason('What is 2 + 3?', { thinkingWindow: 16, maxTokens: 16 })
await z1.dispose()
if (tokens.reasoning.length !== usage.thinkingTokens || usage.thinkingTokens === 0) throw new Error(JSON.stringify(usage))
console.log(JSON.stringify(usage))
// The layers over it, with nothing else installed.
const { createApp } = await import('z1-native/server')
const { languageModel } = await import('z1-native/ai-sdk')
const health = await createApp(z1).fetch(new Request('http://localhost/health'))
if (health.status !== 200 || languageModel(z1).specificationVersion !== 'v3') throw new Error(String(health.status))
`
