// npm run check: what the compilers do not see. The rooms of native/ keep apart, both sides of the native boundary name the
// same functions and error codes, no symbol of the engine is linked, and lib/ imports nothing that users do not have.
// Each failure is one line, file:line: what is wrong.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { argv, platform } from 'node:process'
import { cruise } from 'dependency-cruiser'
import floors from '../.dependency-cruiser.mjs'
import { capture, root as project, ScriptError, script } from './common.mjs'

// Another root can be named, to try the checks on a copy that breaks them.
const root = argv[2] ?? project
const failures = []

function read(path) {
  const file = join(root, path)
  if (!existsSync(file)) throw new ScriptError(`${path} is missing: the checks compare it with others.`)
  return readFileSync(file, 'utf8')
}

function files(directory, pattern) {
  return readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
    .sort()
}

/** Blanks comments, so that prose about a function is no use of it; offsets and lines stay. */
function withoutComments(text) {
  const literalOrComment = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[\s\S]*?\*\//g
  return text.replace(literalOrComment, (match) => (match.startsWith('/') ? match.replace(/[^\n]/g, ' ') : match))
}

function fail(path, text, offset, message) {
  failures.push(`${path}:${text.slice(0, offset).split('\n').length}: ${message}`)
}

function forbid(directory, pattern, message) {
  for (const path of files(directory, /\.(cpp|h)$/)) {
    const text = withoutComments(read(path))
    for (const match of text.matchAll(pattern)) fail(path, text, match.index, message(match))
  }
}

/** Forbids includes of a header, or of all whose path begins with a room's. Paths are those of native/. */
function forbidIncludes(directory, start) {
  const within = start.endsWith('/') ? start : `${start}(?=[/.>"-])`
  forbid(
    directory,
    new RegExp(`#\\s*include\\s*[<"](${within}[^>"]*)[>"]`, 'g'),
    ([, header]) => `${directory} must not include ${header}`,
  )
}

/** Reports each name that only one of two sides has, at its place there. A side is {path, text, names: Map(name → offset)}. */
function sameNames(what, a, b) {
  for (const [here, there] of [
    [a, b],
    [b, a],
  ]) {
    for (const [name, offset] of here.names) {
      if (!there.names.has(name)) fail(here.path, here.text, offset, `${what} ${name} is not in ${there.path}`)
    }
  }
}

/** Names matched by `pattern` (group 1) in the part of a file that `section` (group 1) matches. */
function side(path, section, pattern) {
  const text = withoutComments(read(path))
  const part = section.exec(text)
  if (!part) throw new ScriptError(`${path} has no part that matches ${section}`)
  const start = part.index + part[0].indexOf(part[1])
  const names = new Map([...part[1].matchAll(pattern)].map((match) => [match[1], start + match.index]))
  if (names.size === 0) throw new ScriptError(`${path} has no names that match ${pattern}`)
  return { path, text, names }
}

function checkRooms() {
  for (const room of ['native/engine', 'native/llama']) {
    forbid(
      room,
      /#\s*include\s*[<"](?:[^>"]*\/)?(napi|node_api|js_native_api)\.h[>"]/g,
      ([, header]) => `${room} must not include ${header}.h`,
    )
    forbidIncludes(room, 'binding/')
  }
  // A path that does not begin at native/ would pass by the others.
  forbid('native', /#\s*include\s*"(\.[^"]*)"/g, ([, path]) => `include ${path} by its path from native/`)
  // What ends the thinking sees tokens and nothing that runs them; what samples, and what a file holds, knows no request.
  for (const [room, ...others] of [
    ['thinking', 'context', 'sampling', 'model', 'request/generation', 'request/request'],
    ['sampling', 'context', 'thinking', 'request'],
    ['model', 'context', 'thinking', 'sampling', 'request', 'draft'],
    ['draft', 'context', 'thinking', 'sampling', 'model', 'request'],
    ['request', 'context/context', 'context/scheduler', 'context/batch', 'context/sequence-pool', 'context/message'],
  ]) {
    for (const other of others) forbidIncludes(`native/engine/${room}`, `engine/${other}`)
  }
  for (const room of ['thinking', 'sampling', 'draft']) {
    for (const header of ['mutex', 'shared_mutex', 'thread', 'condition_variable']) {
      forbidIncludes(`native/engine/${room}`, header)
    }
  }
  forbid(
    'native/binding',
    /\bllama_(?:decode|encode|sampler_|memory_|get_logits|batch_)\w*/g,
    ([name]) => `native/binding must not use ${name}: decoding and sampling are native/engine's`,
  )
}

function checkErrorCodes() {
  const native = side('native/error.h', /#define Z1_ERROR_CODES\(X\)((?:[^\n]*\\\n)*[^\n]*)/, /X\((\w+)\)/g)
  const lib = side('lib/base/errors.ts', /ERROR_CODES\s*=\s*\[([\s\S]*?)\]\s*as const/, /'(\w+)'/g)
  for (const [name, offset] of native.names) {
    if (!lib.names.has(name)) fail(native.path, native.text, offset, `error code ${name} is not in ${lib.path}`)
  }
  // A code that nothing raises misleads whoever handles it.
  const raisedIn = (path, name) => new RegExp(`['"]${name}['"]`).test(withoutComments(read(path)))
  const others = files('lib', /\.ts$/).filter((path) => join(path) !== join(lib.path))
  for (const [name, offset] of lib.names) {
    if (native.names.has(name) || others.some((path) => raisedIn(path, name))) continue
    fail(lib.path, lib.text, offset, `error code ${name} is raised neither by native code nor in lib/`)
  }
}

function checkNativeFunctions() {
  const exported = side('native/binding/addon.cpp', /\bInit\s*\(([\s\S]*)/, /"(\w+)"/g)
  const typed = side('lib/native/binding.ts', /export interface Binding \{([\s\S]*?)\n\}/, /^ {2}(\w+)\(/gm)
  sameNames('native function', exported, typed)
}

function checkSymbols() {
  const addon = 'build/Release/z1_native.node'
  if (platform !== 'linux') return
  if (!existsSync(join(root, addon))) throw new ScriptError(`${addon} is missing. Run: npm run compile`)
  for (const line of capture('nm', ['-Du', join(root, addon)]).split('\n')) {
    // Electron's memory cage refuses buffers whose memory is not its own.
    const external = /\bnapi_create_external_\w*buffer\b|\bnode_api_create_external_\w*buffer\b/.exec(line)
    if (external) failures.push(`${addon}:0: ${external[0]} is linked; in Electron it fails`)
    const symbol = /\b_?(?:llama|ggml|gguf)_\w+/.exec(line)
    if (symbol)
      failures.push(
        `${addon}:0: ${symbol[0]} is linked; the engine's functions come from the table of native/llama only`,
      )
  }
}

/** The rules of .dependency-cruiser.mjs, whose violations get the line of their import. */
async function checkImports() {
  const { output } = await cruise(
    ['lib'],
    {
      baseDir: root,
      validate: true,
      ruleSet: floors,
      doNotFollow: { path: 'node_modules' },
      tsPreCompilationDeps: true,
    },
    // A copy may have no node_modules of its own.
    {
      modules: ['node_modules', join(project, 'node_modules')],
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
  )
  if (output.summary.totalCruised === 0) throw new ScriptError('There is nothing in lib/ to check')
  const comments = new Map(floors.forbidden.map(({ name, comment }) => [name, comment]))
  for (const { rule, from, to } of output.summary.violations) {
    const text = read(from)
    const file = to.slice(to.lastIndexOf('/') + 1).replace(/\.ts$/, '')
    const at = text.search(new RegExp(`(from|import)\\b[^\\n]*['"][^'"\\n]*${file.replace(/[^\w-]/g, '.')}`))
    fail(from, text, Math.max(at, 0), `${from} → ${to}: ${comments.get(rule.name)}`)
  }
}

/** Numbers that stand in several files, where they cannot be read from package.json. */
function checkVersions() {
  const { version, optionalDependencies } = JSON.parse(read('package.json'))
  const [engine, ...others] = new Set(Object.values(optionalDependencies))
  if (others.length > 0) failures.push(`package.json:0: engine packs of several versions: ${engine}, ${others}`)
  for (const [path, pattern, expected] of [
    ['package-lock.json', /"version": "([^"]+)"/g, version],
    ['training/pyproject.toml', /^version = "([^"]+)"/gm, version],
    ['bench/package.json', /"node-llama-cpp": "([^"]+)"/g, engine],
    ['bench/size.mjs', /node-llama-cpp@([\d.]+)/g, engine],
    ['README.md', /@node-llama-cpp\/[\w-]+@([\d.]+\d)/g, engine],
  ]) {
    const text = read(path)
    const [first] = text.matchAll(pattern)
    if (!first) throw new ScriptError(`${path} has no version that matches ${pattern}`)
    for (const match of path === 'package-lock.json' ? [first] : text.matchAll(pattern)) {
      if (match[1] !== expected) fail(path, text, match.index, `version ${match[1]}, but package.json says ${expected}`)
    }
  }
}

script(async () => {
  for (const check of [checkRooms, checkErrorCodes, checkNativeFunctions, checkSymbols, checkImports, checkVersions]) {
    await check()
  }
  if (failures.length > 0) throw new ScriptError(failures.join('\n'))
  console.log('The boundaries hold.')
})
