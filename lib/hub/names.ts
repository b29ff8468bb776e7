/**
 * Names of models in repositories, `user/repo:Q4_K_M`, and which files of a repository a name means. Knows neither the network nor
 * the cache.
 */
import { oneLine } from '../base/one-line.js'

/** What a name says. */
export interface ModelName {
  /** `user/repo`. */
  repo: string
  /** The quantization, in upper case; null: none was named. */
  quant: string | null
  /** A file of the repository; null: none was named. */
  file: string | null
}

/** As the Hub has it: https://huggingface.co/docs/huggingface_hub, `validate_repo_id`. */
const REPO = /^[A-Za-z0-9_][\w.-]{0,95}\/[A-Za-z0-9_][\w.-]{0,95}$/

/** Tried in this order where no quantization is named; then the first file (llama.cpp, common/download.cpp). */
const DEFAULT_QUANTS = ['Q4_K_M', 'Q8_0']

/** Files beside a model that are none: vision towers, importance matrices, draft heads (llama.cpp, common/download.cpp). */
const COMPANIONS = ['mmproj', 'imatrix', 'mtp-', 'eagle3-', 'dflash-', 'dspark-']

/** `user/repo`, `user/repo:QUANT` or `user/repo/path/file.gguf`, each also after `hf:` or `hf://`; null: it is none of them. */
export function parseModelName(text: string): ModelName | null {
  const name = text.replace(/^hf:(\/\/)?/, '')
  const [, repo = '', rest = ''] = /^([^/:]+\/[^/:]+)(.*)$/s.exec(name) ?? []
  if (!REPO.test(repo) || /--|\.\./.test(repo) || /[.-]$|\.git$/.test(repo)) return null
  // A path with a typing mistake, rather.
  if (name === text && /\.gguf$/i.test(repo)) return null
  if (rest === '') return { repo, quant: null, file: null }
  const [, quant] = /^:([\w.-]{1,64})$/.exec(rest) ?? []
  if (quant !== undefined) return { repo, quant: quant.toUpperCase(), file: null }
  const file = rest.slice(1)
  return rest.startsWith('/') && file.endsWith('.gguf') && isSafePath(file) ? { repo, quant: null, file } : null
}

export function showModelName({ repo, quant, file }: ModelName): string {
  return file !== null ? `${repo}/${file}` : quant !== null ? `${repo}:${quant}` : repo
}

/** Whether a path that a server or a user gave stays inside the folder it is put in, on every system. */
export function isSafePath(path: string): boolean {
  const parts = path.split('/')
  return (
    path.length <= 1024 && parts.every((part) => /^(?!\.{1,2}$)[^\\:*?"<>|\p{Cc}]+$/u.test(part) && !/[. ]$/.test(part))
  )
}

/** A GGUF file's name: what all parts of a model that was split share, and which part it is (1 …). */
interface Split {
  prefix: string
  quant: string | null
  index: number
  count: number
}

function splitOf(path: string): Split {
  const stem = path.replace(/\.gguf$/, '')
  const [, prefix = stem, index = '1', count = '1'] = /^(.+)-(\d{5})-of-(\d{5})$/i.exec(stem) ?? []
  const [, quant = null] = /[-.]([A-Z0-9_]+)$/i.exec(prefix) ?? []
  return { prefix, quant: quant?.toUpperCase() ?? null, index: Number(index), count: Number(count) }
}

/** Whether a file is a model, or the first part of one. */
function beginsModel(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return path.endsWith('.gguf') && !COMPANIONS.some((word) => name.includes(word)) && splitOf(path).index === 1
}

/** The models among files, each by its first part, in the order of their names. */
export function modelsAmong(files: readonly string[]): string[] {
  return files.filter(beginsModel).sort()
}

/** All parts of the model that begins with a file, whether they are there or not. */
export function partsOf(first: string): string[] {
  const [, prefix, count] = /^(.+)-00001-of-(\d{5})\.gguf$/s.exec(first) ?? []
  if (prefix === undefined || count === undefined) return [first]
  return Array.from({ length: Number(count) }, (_, i) => `${prefix}-${String(i + 1).padStart(5, '0')}-of-${count}.gguf`)
}

/** The first part of the model that a name means, as llama.cpp chooses it; null: there is none. */
export function findModel(files: readonly string[], { quant, file }: Pick<ModelName, 'quant' | 'file'>): string | null {
  if (file !== null) return files.find((path) => path === file) ?? null
  const models = modelsAmong(files)
  for (const tag of quant === null ? DEFAULT_QUANTS : [quant]) {
    const pattern = new RegExp(`${tag.replace(/[.]/g, '\\.')}[.-]`, 'i')
    const found = models.find((path) => pattern.test(path))
    if (found !== undefined) return found
  }
  return quant === null ? (models[0] ?? null) : null
}

/** The shortest name of a model among the files of its repository. */
export function nameOf(repo: string, files: readonly string[], first: string): string {
  const { quant } = splitOf(first)
  const byQuant = { repo, quant, file: null }
  if (quant !== null && findModel(files, byQuant) === first) return showModelName(byQuant)
  return showModelName({ repo, quant: null, file: first })
}

/** The names of all models among files, for a sentence. */
export function listed(repo: string, files: readonly string[]): string {
  const names = modelsAmong(files).map((first) => nameOf(repo, files, first).slice(repo.length + 1))
  return names.length === 0 ? 'it has no GGUF models' : oneLine(`it has ${names.join(', ')}`, 600)
}
