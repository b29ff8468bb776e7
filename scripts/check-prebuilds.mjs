// Before a release is packed: prebuilds/ has an addon for every platform that has an engine pack, and each is one of its
// platform.   node scripts/check-prebuilds.mjs [folder]
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { argv } from 'node:process'
import { root, ScriptError, script } from './common.mjs'
import { packs } from './engine-pack.mjs'

/** Platform of a file by its header: that of ELF, Mach-O or PE, each with two processors. Null for any other. */
function platformOf(file) {
  const bytes = readFileSync(file)
  if (bytes.length < 64) return null
  const cpu = (id, x64, arm64) => (id === x64 ? 'x64' : id === arm64 ? 'arm64' : 'other')
  if (bytes.readUInt32BE(0) === 0x7f454c46) return `linux-${cpu(bytes.readUInt16LE(18), 62, 183)}`
  if (bytes.readUInt32LE(0) === 0xfeedfacf) return `darwin-${cpu(bytes.readUInt32LE(4), 0x1000007, 0x100000c)}`
  if (bytes.toString('latin1', 0, 2) === 'MZ') {
    const header = bytes.readUInt32LE(60)
    if (header + 6 <= bytes.length && bytes.toString('latin1', header, header + 4) === 'PE\0\0')
      return `win32-${cpu(bytes.readUInt16LE(header + 4), 0x8664, 0xaa64)}`
  }
  return null
}

script(() => {
  const folder = resolve(argv[2] ?? join(root, 'prebuilds'))
  const wrong = []
  for (const platform of Object.keys(packs)) {
    const directory = join(folder, platform)
    const addons = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.node')) : []
    if (addons.length !== 1) wrong.push(`${platform}: expected one addon but found ${addons.length}`)
    for (const name of addons) {
      const found = platformOf(join(directory, name))
      if (found !== platform) wrong.push(`${platform}: ${name} is ${found ? `of ${found}` : 'no library'}`)
    }
  }
  if (wrong.length > 0) throw new ScriptError(wrong.join('\n'))
  console.log(`${folder} has the addons of ${Object.keys(packs).join(', ')}.`)
})
