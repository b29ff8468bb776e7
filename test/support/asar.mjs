/**
 * Preloaded, it reads inside `.asar` archives as Electron does: `fs`, `require` and `import` see their files, and native
 * code gets those that were unpacked beside them. It stands in for Electron, with what the library calls and no more.
 */
import fs from 'node:fs'
import Module, { createRequire, register, syncBuiltinESMExports } from 'node:module'
import { join, posix, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'

// The archive is read by the library that packs it, with the functions that are replaced below.
const asar = createRequire(import.meta.url)('@electron/asar')

/** Archive and path inside it; null for any other path. */
function inArchive(path) {
  const [, archive, inner] = /^(.*?\.asar)[/\\](.+)$/.exec(String(path)) ?? []
  return archive ? { archive, inner: inner.split('/').join(sep) } : null
}

function entry({ archive, inner }) {
  try {
    return asar.statFile(archive, inner)
  } catch {
    const missing = new Error(`ENOENT: no such file or directory, ${join(archive, inner)}`)
    throw Object.assign(missing, { code: 'ENOENT' })
  }
}

function has(place) {
  try {
    return Boolean(entry(place))
  } catch {
    return false
  }
}

/** The file that a package's name means, as seen from a file in an archive: from the nearest node_modules that has it. */
function resolvePackage(specifier, from) {
  const [, name, rest] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier)
  const { archive, inner } = inArchive(from)
  for (let folder = posix.dirname(inner); ; folder = posix.dirname(folder)) {
    const root = posix.join(folder, 'node_modules', name)
    if (has({ archive, inner: `${root}/package.json` })) {
      const { exports, main } = JSON.parse(read({ archive, inner: `${root}/package.json` }))
      let target = exports?.[`.${rest ?? ''}`] ?? exports ?? main
      while (typeof target === 'object') target = target.node ?? target.import ?? target.default
      return join(archive, root, target)
    }
    if (folder === '.') return null
  }
}

function read(place) {
  entry(place)
  return asar.extractFile(place.archive, place.inner)
}

/** Where native code finds a file of an archive: only what was unpacked is one. */
function real(path) {
  const place = inArchive(path)
  if (!place) return path
  if (!entry(place).unpacked) throw new Error(`${path} is not unpacked`)
  return join(`${place.archive}.unpacked`, place.inner)
}

export function resolve(specifier, context, next) {
  const from = context.parentURL?.startsWith('file:') && fileURLToPath(context.parentURL)
  if (specifier.startsWith('node:')) return next(specifier, context)
  if (specifier.startsWith('file:') && inArchive(fileURLToPath(specifier)))
    return { url: specifier, shortCircuit: true }
  if (!from || !inArchive(from)) return next(specifier, context)
  const url = specifier.startsWith('.')
    ? new URL(specifier, context.parentURL)
    : pathToFileURL(resolvePackage(specifier, from))
  return { url: url.href, shortCircuit: true }
}

export function load(url, context, next) {
  const place = url.startsWith('file:') && inArchive(fileURLToPath(url))
  return place ? { format: 'module', source: read(place), shortCircuit: true } : next(url, context)
}

if (isMainThread) {
  const { existsSync, readdirSync, readFileSync } = fs
  fs.existsSync = (path) => (inArchive(path) ? has(inArchive(path)) : existsSync(path))
  fs.readdirSync = (path, options) =>
    inArchive(path) ? Object.keys(entry(inArchive(path)).files) : readdirSync(path, options)
  fs.readFileSync = (path, options) => {
    const place = inArchive(path)
    if (!place) return readFileSync(path, options)
    return options ? read(place).toString(options.encoding ?? options) : read(place)
  }
  syncBuiltinESMExports()

  const resolveFilename = Module._resolveFilename
  Module._resolveFilename = (request, parent, ...more) => {
    if (inArchive(request)) return real(request)
    const from = parent?.filename
    if (!from || !inArchive(from) || request.startsWith('.')) return resolveFilename(request, parent, ...more)
    return resolvePackage(request, from) ?? resolveFilename(request, parent, ...more)
  }
  register(import.meta.url)
}
