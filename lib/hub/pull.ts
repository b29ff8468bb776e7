/** From a name to files in the cache: which files it means, and their download. */
import { mkdir } from 'node:fs/promises'
import { misuse } from '../base/checks.js'
import { attempt, callSite, Z1Error } from '../base/errors.js'
import { cannotWrite } from '../base/files.js'
import { type Benchmark, benchmarkNamed } from './benchmarks.js'
import { RepoCache } from './cache.js'
import type { HubClient, Subject } from './client.js'
import { bytesThere, checkSpace, download, isComplete, type RemoteFile } from './download.js'
import { type ModelHeader, readHeader } from './header.js'
import { findModel, listed, type ModelName, nameOf, parseModelName, partsOf } from './names.js'
import { type HubOptions, openClient, type PullOptions, readHubOptions, readPullOptions } from './options.js'
import { type RepoInfo, repoInfo } from './repo.js'

/** What was pulled. */
export interface Pulled {
  /** Its shortest name, e.g. `user/repo:Q4_K_M`; of a benchmark its own. */
  name: string
  repo: string
  /** The commit of the repository that the files are of. */
  commit: string
  /** As the repository names it, e.g. `apache-2.0`; null: it names none. */
  license: string | null
  /** Path of the file, of a model that was split that of its first part. */
  path: string
  /** Paths of all files. */
  files: string[]
  /** Bytes of all files. */
  size: number
  /** Bytes of these that were there already. */
  cached: number
}

/** What a pull would bring. */
export interface RemoteModel extends Omit<Pulled, 'path' | 'files'> {
  /** Paths in the repository. */
  files: string[]
  /** What the file says of itself; null for a benchmark. */
  header: ModelHeader | null
}

/**
 * Downloads a model, or a benchmark's file, into the cache of Python's huggingface_hub; what is there already is not downloaded
 * again, and an interrupted download goes on.
 * @param name `user/repo`, `user/repo:Q4_K_M`, `user/repo/file.gguf`, each also after `hf:`; or the name of a benchmark: `math500`, `gsm8k`,
 * `aime24`, `amc23`. Without a quantization Q4_K_M is taken, else Q8_0, else the first model.
 * @throws {TypeError|RangeError} for what is no name, and wrong options.
 * @throws {Z1Error} MODEL_NOT_FOUND, REMOTE_FAILED, REMOTE_REFUSED, CHECKSUM_MISMATCH, DISK_FULL.
 * @throws the signal's reason when it is aborted, and what `onProgress` throws.
 */
export async function pull(name: string, options?: PullOptions): Promise<Pulled> {
  const site = callSite(pull)
  const checked = readPullOptions(options)
  const wanted = wantedOf(name, checked.revision)
  return attempt(site, async () => fetchWanted(await openClient(name), wanted, checked), checked.signal)
}

/** For a client of one's own. */
export async function fetchWanted(
  client: HubClient,
  wanted: Wanted,
  { cache, signal, onProgress }: ReturnType<typeof readPullOptions>,
): Promise<Pulled> {
  const { subject } = wanted
  const found = await find(client, wanted, signal)
  const { files, info } = found
  const repo = new RepoCache(cache, subject.kind, subject.repo)
  const total = sum(files.map(({ size }) => size))
  const there = await Promise.all(files.map((file) => bytesOf(repo, info.commit, file)))
  const cached = sum(there)
  await mkdir(cache, { recursive: true }).catch((error) => {
    throw cannotWrite(cache, error)
  })
  await checkSpace(cache, total - cached, found.name)

  const report = () => onProgress?.({ done: sum(there), total })
  report()
  for (const [i, file] of files.entries()) {
    const onBytes = (bytes: number) => {
      there[i] = bytes
      report()
    }
    if (await isThere(repo, info.commit, file)) continue
    if (!(await isComplete(repo, file))) await download(client, repo, file, subject, onBytes, signal)
    await repo.link(info.commit, file.path, file.hash)
  }
  await repo.setRef(subject.revision, info.commit)
  const paths = files.map((file) => repo.pathOf(info.commit, file.path))
  return {
    name: found.name,
    repo: subject.repo,
    commit: info.commit,
    license: info.license,
    path: paths[0] as string,
    files: paths,
    size: total,
    cached,
  }
}

/**
 * What {@link pull} would download, and what the model's file says of itself, read from its beginning.
 * @throws as {@link pull} does; {Z1Error} MODEL_INVALID for a file that is no GGUF model.
 */
export async function inspectRemote(name: string, options?: HubOptions): Promise<RemoteModel> {
  const site = callSite(inspectRemote)
  const { cache, revision, signal } = readHubOptions(options)
  const wanted = wantedOf(name, revision)
  return attempt(
    site,
    async () => {
      const client = await openClient(name)
      const { name: found, files, info } = await find(client, wanted, signal)
      const { subject, benchmark } = wanted
      const repo = new RepoCache(cache, subject.kind, subject.repo)
      const there = await Promise.all(files.map((file) => bytesOf(repo, info.commit, file)))
      return {
        name: found,
        repo: subject.repo,
        commit: info.commit,
        license: info.license,
        files: files.map(({ path }) => path),
        size: sum(files.map(({ size }) => size)),
        cached: sum(there),
        header: benchmark ? null : await readHeader(client, files[0] as RemoteFile, subject, signal),
      }
    },
    signal,
  )
}

/** What a name asks for. */
export interface Wanted {
  subject: Subject
  model: ModelName | null
  benchmark: Benchmark | undefined
  name: string
}

/** @throws {TypeError|RangeError} */
export function wantedOf(name: unknown, revision: string): Wanted {
  const expected = 'a name such as user/repo:Q4_K_M or user/repo/file.gguf'
  if (typeof name !== 'string') throw misuse(TypeError, expected, 'name', name)
  const benchmark = benchmarkNamed(name)
  if (benchmark) return { subject: { kind: 'dataset', repo: benchmark.repo, revision }, model: null, benchmark, name }
  const model = parseModelName(name)
  if (!model) throw misuse(RangeError, expected, 'name', name)
  return { subject: { kind: 'model', repo: model.repo, revision }, model, benchmark, name }
}

/** The first file of what is wanted, among those of a repository; null: there is none. */
export function firstOf({ model, benchmark }: Wanted, files: readonly string[]): string | null {
  return (model ? findModel(files, model) : files.find((file) => benchmark?.file.test(file))) ?? null
}

interface Found {
  name: string
  files: RemoteFile[]
  info: RepoInfo
}

async function find(client: HubClient, wanted: Wanted, signal?: AbortSignal): Promise<Found> {
  const { subject, model, name } = wanted
  const { repo } = subject
  const info = await repoInfo(client, subject, signal)
  const paths = [...info.files.keys()]
  const first = firstOf(wanted, paths)
  if (first === null) {
    if (!model)
      throw new Z1Error(
        'REMOTE_REFUSED',
        `The data set ${repo} no longer has the file of ${name}: pass one with --data`,
      )
    const lacks = model.file ?? model.quant ?? 'GGUF model'
    throw new Z1Error('MODEL_NOT_FOUND', `The repository ${repo} has no ${lacks}: ${listed(repo, paths)}`)
  }
  const files = (model ? partsOf(first) : [first]).map((path) => {
    const file = info.files.get(path)
    if (!file)
      throw new Z1Error(
        'MODEL_NOT_FOUND',
        `The repository ${repo} lacks ${path}, a part of the model that was asked for`,
      )
    return file
  })
  return { name: model ? nameOf(repo, paths, first) : name, files, info }
}

/** Under its name in the snapshot: a link, or a file where the system has no links. */
async function isThere(repo: RepoCache, commit: string, { path, size }: RemoteFile): Promise<boolean> {
  return (await repo.sizeOf(commit, path)) === size
}

async function bytesOf(repo: RepoCache, commit: string, file: RemoteFile): Promise<number> {
  const isWhole = (await isThere(repo, commit, file)) || (await isComplete(repo, file))
  return isWhole ? file.size : bytesThere(repo, file)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
