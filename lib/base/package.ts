/** The package's own folder, and what its package.json says. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the package's folder. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Whether this code lies where the package has it: a bundler copies it elsewhere, without the addon and the model. */
export function inOwnFolder(): boolean {
  try {
    return manifest().name === 'z1-native'
  } catch {
    return false
  }
}

/** What to do about code that was copied. */
export const BUNDLED =
  'z1-native was bundled, which leaves its native addon behind: keep z1-native external in the bundler and ship node_modules/z1-native.'

/**
 * Electron packs an application into one file, `app.asar`; only JavaScript can read inside it. What native code opens is
 * unpacked beside it.
 */
export function unpacked(path: string): string {
  return path.replace(/([/\\][^/\\]+\.asar)(?=[/\\])/, '$1.unpacked')
}

/** The same path inside the archive: what was not unpacked is read there, as Electron does with `fs`. */
export function packed(path: string): string {
  return path.replace(/([/\\][^/\\]+\.asar)\.unpacked(?=[/\\])/, '$1')
}

/** The package's version, e.g. `0.1.0`. */
export function packageVersion(): string {
  return manifest().version
}

/**
 * The version of node-llama-cpp's engine packs that this package runs on, e.g. `3.22.1`. It is written in package.json
 * alone, where the packs are dependencies.
 */
export function enginePackVersion(): string {
  return Object.values(manifest().optionalDependencies)[0] as string
}

function manifest(): { name: string; version: string; optionalDependencies: Record<string, string> } {
  return JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
}
