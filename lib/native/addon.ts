/** Finds and loads the compiled addon. Knows where files lie, not what is in them. */
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Z1Error } from '../base/errors.js'
import { BUNDLED, inOwnFolder, packageRoot } from '../base/package.js'
import type { Binding } from './binding.js'

let binding: Binding | undefined

/**
 * The addon, loaded at the first call: one that was built in this checkout, else the prebuilt one of this platform.
 * @throws {Z1Error} ADDON_NOT_FOUND, with every place that was tried and why it failed.
 */
export function loadAddon(): Binding {
  binding ??= requireFirst(candidates())
  return binding
}

function candidates(): string[] {
  const prebuilds = join(packageRoot, 'prebuilds', `${process.platform}-${process.arch}`)
  const prebuilt = existsSync(prebuilds) ? readdirSync(prebuilds).filter((file) => file.endsWith('.node')) : []
  return [
    join(packageRoot, 'build', 'Release', 'z1_native.node'),
    ...(prebuilt.length > 0 ? prebuilt : ['*.node']).map((file) => join(prebuilds, file)),
  ]
}

function requireFirst(files: string[]): Binding {
  const require = createRequire(import.meta.url)
  const tried: string[] = []
  for (const file of files) {
    if (!existsSync(file)) {
      tried.push(`${file}: not there`)
      continue
    }
    try {
      return require(file) as Binding
    } catch (error) {
      tried.push(`${file}: ${(error as Error).message}`)
    }
  }
  throw new Z1Error('ADDON_NOT_FOUND', `No addon for ${process.platform}-${process.arch} could be loaded:`, {
    lines: [...tried.map((line) => `  ${line}`), advice()],
  })
}

function advice(): string {
  if (!inOwnFolder()) return BUNDLED
  return usesMusl() ? MUSL : 'In a checkout, npm run compile makes one.'
}

const MUSL =
  "This system's C library is musl (Alpine Linux); the addon and the engine packs need glibc: take an image with Debian, such as node:22-slim."

/** Whether this process runs on musl. Takes milliseconds, so only who reports a failure asks. */
function usesMusl(): boolean {
  if (process.platform !== 'linux') return false
  const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects?: string[] }
  return sharedObjects?.some((file) => /\b(?:libc\.musl|ld-musl)-/.test(file)) ?? false
}
