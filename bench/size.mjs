// What an installation takes on disk, made as each project documents it. Downloads what npm would: about 1 GB.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { capture, npm, root } from '../scripts/common.mjs'
import { number, printTable } from './measure.mjs'

const addon = join(root, 'build', 'Release', 'z1_native.node')

export function size() {
  const work = mkdtempSync(join(tmpdir(), 'z1-size-'))
  try {
    const install = (name, what) => {
      const folder = join(work, name)
      mkdirSync(folder)
      writeFileSync(join(folder, 'package.json'), '{ "private": true }')
      // The postinstall of node-llama-cpp adds nothing where a pack works.
      npm(capture, ['install', '--ignore-scripts', '--no-audit', '--no-fund', what], { cwd: folder })
      const modules = join(folder, 'node_modules')
      const files = list(modules)
      return { bytes: sum(files), packs: sum(list(join(modules, '@node-llama-cpp'))), packages: countPackages(files) }
    }
    const packed = npm(capture, ['pack', '--json', '--ignore-scripts', '--pack-destination', work])
    const [{ filename, size: tarball, files }] = JSON.parse(packed)
    const z1 = install('z1', join(work, filename))
    // A release has the addon in its tarball; a checkout that was only built does not.
    if (!files.some(({ path }) => path.endsWith('.node'))) z1.bytes += statSync(addon).size
    const peer = install('peer', 'node-llama-cpp@3.22.1')

    const megabytes = (bytes) => number(bytes / 1e6)
    const row = (name, { bytes, packs, packages }) => [
      name,
      megabytes(bytes),
      megabytes(packs),
      String(packages),
      number(bytes / z1.bytes),
    ]
    printTable(
      `npm install on ${process.platform}-${process.arch}; the tarball of z1-native is ${megabytes(tarball)} MB`,
      ['', 'MB on disk', 'of it engine packs', 'packages', '÷ z1'],
      [row('z1-native', z1), row('node-llama-cpp', peer)],
    )
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function list(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

function sum(files) {
  return files.reduce((bytes, file) => bytes + statSync(file).size, 0)
}

function countPackages(files) {
  return files.filter((file) => /node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+[\\/]package\.json$/.test(file)).length
}
