/**
 * Which engine to open: the candidates for a choice, in order, and the reason against each that is refused. An engine is a
 * directory of llama.cpp's libraries: an engine pack (a package of node-llama-cpp's), one that was built in this checkout,
 * or one that the caller names.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { type ErrorCode, Z1Error } from '../base/errors.js'
import { enginePackVersion, packageRoot, packed, unpacked } from '../base/package.js'
import { loadAddon } from './addon.js'
import type { AddonInfo, EngineInfo } from './binding.js'

type Backend = 'cpu' | 'cuda' | 'vulkan' | 'metal'

/** A directory that was considered, and what came of it. */
export interface EngineCandidate {
  /** `cpu`, `cuda`, `vulkan`, `metal`; `directory` for one that the caller named. */
  name: Backend | 'directory'
  /** Package name, or path of the directory. */
  source: string
  /** Null when there is none, e.g. a pack that is not installed. */
  directory: string | null
  /** Why it was not taken; null for the one that is open and for those after it. */
  refused: string | null
  taken: boolean
}

/** The release that the packs carry; package.json pins their version. */
const RELEASE_FILE = '_nlcBuildMetadata.json'

/** node-llama-cpp's packs by platform: what each backend is called there. */
const PACKS: Record<string, Partial<Record<Backend, string>>> = {
  'linux-x64': { cuda: 'linux-x64-cuda', vulkan: 'linux-x64-vulkan', cpu: 'linux-x64' },
  'linux-arm64': { vulkan: 'linux-arm64-vulkan', cpu: 'linux-arm64' },
  // Metal's pack has the CPU backend in it; without GPU layers it runs on the CPU.
  'darwin-arm64': { metal: 'mac-arm64-metal', cpu: 'mac-arm64-metal' },
  'darwin-x64': { cpu: 'mac-x64' },
  'win32-x64': { cuda: 'win-x64-cuda', vulkan: 'win-x64-vulkan', cpu: 'win-x64' },
  'win32-arm64': { vulkan: 'win-arm64-vulkan', cpu: 'win-arm64' },
}

/** Best first. */
const BACKENDS: Backend[] = ['metal', 'cuda', 'vulkan', 'cpu']

/** What the addon was compiled against. @throws {Z1Error} ADDON_NOT_FOUND */
export function addonInfo(): AddonInfo {
  return loadAddon().addonInfo()
}

/**
 * Opens the engine for a choice (`auto`, a backend, or a directory), or returns the one that is open already.
 * @throws {Z1Error} ENGINE_NOT_FOUND with the reason of each candidate, ENGINE_MISMATCH, or ENGINE_CONFLICT when another
 * engine is open in this process.
 */
export async function openEngine(choice: string): Promise<{ engine: EngineInfo; candidates: EngineCandidate[] }> {
  const addon = loadAddon()
  const open = addon.engineDirectory()
  if (choice === 'auto' && open !== null) {
    const candidate = { name: 'directory' as const, source: open, directory: open, refused: null, taken: true }
    return { engine: await addon.engineOpen(open, null), candidates: [candidate] }
  }

  const candidates = candidatesFor(choice)
  if (candidates.length === 0) {
    throw new Z1Error('ENGINE_NOT_FOUND', `There is no engine for ${choice} on ${process.platform}-${process.arch}`)
  }
  const failures: { code: ErrorCode; message: string }[] = []
  for (const candidate of candidates) {
    try {
      const engine = await openCandidate(candidate)
      candidate.taken = true
      return { engine, candidates }
    } catch (error) {
      const { code, message } = error as Z1Error
      candidate.refused = message
      failures.push({ code: code ?? 'ENGINE_NOT_FOUND', message })
    }
  }
  const codes = new Set(failures.map((failure) => failure.code))
  const code = codes.size === 1 ? (failures[0] as { code: ErrorCode }).code : conflictOr(codes)
  const [only, ...others] = candidates as [EngineCandidate, ...EngineCandidate[]]
  if (others.length === 0) throw new Z1Error(code, only.refused ?? '')
  throw new Z1Error(code, `No engine for ${choice} on ${process.platform}-${process.arch}:`, {
    lines: candidates.map(({ name, source, refused }) => `  ${name} (${source}): ${refused}`),
  })
}

/** A conflict is what the caller can act on, whatever else was tried. */
function conflictOr(codes: Set<ErrorCode>): ErrorCode {
  return codes.has('ENGINE_CONFLICT') ? 'ENGINE_CONFLICT' : 'ENGINE_NOT_FOUND'
}

function candidatesFor(choice: string): EngineCandidate[] {
  const candidate = (name: EngineCandidate['name'], source: string, directory: string | null): EngineCandidate => {
    return { name, source, directory, refused: null, taken: false }
  }
  const backends = choice === 'auto' ? BACKENDS : BACKENDS.filter((backend) => backend === choice)
  if (backends.length === 0) return [candidate('directory', choice, choice)]

  return backends.flatMap((backend) => {
    const pack = PACKS[`${process.platform}-${process.arch}`]?.[backend]
    const built = join(packageRoot, 'out', 'engine', backend)
    return [
      ...(pack ? [candidate(backend, `@node-llama-cpp/${pack}`, packDirectory(`@node-llama-cpp/${pack}`))] : []),
      ...(existsSync(built) ? [candidate(backend, built, built)] : []),
    ]
  })
}

/**
 * Where a pack's libraries are, or null if it is not installed. Node's own resolution finds it wherever the package
 * manager put it. Its `exports` hide its package.json, so its main entry is resolved.
 */
function packDirectory(pack: string): string | null {
  try {
    const bins = join(dirname(createRequire(import.meta.url).resolve(pack)), '..', 'bins')
    const [only] = readdirSync(bins)
    return only === undefined ? null : unpacked(join(bins, only))
  } catch {
    return null
  }
}

async function openCandidate({ name, source, directory }: EngineCandidate): Promise<EngineInfo> {
  if (directory === null)
    throw new Z1Error('ENGINE_NOT_FOUND', `${source} is not installed (npm install ${source}@${enginePackVersion()})`)
  checkRelease(directory)
  // Metal is part of the system; the others may lack their driver.
  const engine = await loadAddon().engineOpen(directory, name === 'cuda' || name === 'vulkan' ? name : null)
  const wantsGpu = name !== 'cpu' && name !== 'directory'
  if (wantsGpu && !engine.devices.some(({ type }) => type === 'gpu' || type === 'igpu')) {
    throw new Z1Error('ENGINE_NOT_FOUND', `${directory} was opened, but ${name} found no device`)
  }
  return engine
}

/** The version functions of the libraries do not tell a release from its neighbours; the record of the build does. */
function checkRelease(directory: string): void {
  const { release } = addonInfo()
  let files: string[]
  try {
    files = readdirSync(directory)
  } catch (cause) {
    throw new Z1Error('ENGINE_NOT_FOUND', `No engine directory at ${directory}`, { cause })
  }
  if (!files.some((file) => /^(lib)?llama\./.test(file))) {
    throw new Z1Error('ENGINE_NOT_FOUND', `No libllama in ${directory}`)
  }
  const record = join(directory, RELEASE_FILE)
  // It is no library: an Electron application that unpacks those alone leaves it in its archive.
  const found = releaseOf(existsSync(record) ? record : packed(record))
  if (found !== release) {
    throw new Z1Error(
      'ENGINE_MISMATCH',
      `The engine in ${directory} is llama.cpp ${found ?? `of an unknown release (no readable ${RELEASE_FILE})`}; ` +
        `this build needs ${release}`,
    )
  }
}

function releaseOf(file: string): string | null {
  try {
    const metadata = JSON.parse(readFileSync(file, 'utf8'))
    return String(metadata.buildOptions.llamaCpp.release)
  } catch {
    return null
  }
}
