// Prints the directory of the engine pack that npm installed for this platform: what the native tests open and link.
import { dirname, join } from 'node:path'
import { arch, argv, platform, stdout } from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ScriptError, script } from './common.mjs'

export const packs = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
}

export function enginePackDirectory() {
  const pack = packs[`${platform}-${arch}`]
  if (!pack) throw new ScriptError(`There is no engine pack for ${platform}-${arch}. Build one: npm run build:engine`)
  try {
    // The pack's exports hide its package.json and libraries; its main entry is what resolves.
    const entry = fileURLToPath(import.meta.resolve(`@node-llama-cpp/${pack}`))
    return join(dirname(entry), '..', 'bins', pack)
  } catch {
    throw new ScriptError(
      `The engine pack @node-llama-cpp/${pack} is not installed. Run: npm install --include=optional`,
    )
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  script(() => stdout.write(enginePackDirectory()))
}
