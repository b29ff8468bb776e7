/** What is in the cache: found by a name, listed, removed. Asks nothing of the network, but what `download: true` lets it. */
import { stat } from 'node:fs/promises'
import { attempt, callSite, Z1Error } from '../base/errors.js'
import { oneLine } from '../base/one-line.js'
import { BENCHMARKS } from './benchmarks.js'
import { cachedRepos, RepoCache } from './cache.js'
import { modelsAmong, nameOf, partsOf } from './names.js'
import { type CacheOptions, type FindOptions, openClient, readCacheOptions, readFindOptions } from './options.js'
import { fetchWanted, firstOf, type Wanted, wantedOf } from './pull.js'

/** A model, or a benchmark's file, in the cache. */
export interface Cached {
  /** Its shortest name, e.g. `user/repo:Q4_K_M`; of a benchmark its own. */
  name: string
  repo: string
  commit: string
  /** Path of the file, of a model that was split that of its first part. */
  path: string
  /** Bytes of all its files. */
  size: number
  /** When it came, or was changed. */
  modified: Date
}

/**
 * Path of a model's file in the cache, or of a benchmark's. With `download: true` it is pulled when it is not there.
 * @throws {TypeError|RangeError} for what is no name, and wrong options.
 * @throws {Z1Error} MODEL_NOT_FOUND when it is not there; with `download: true` as {@link pull} does.
 */
export async function findCached(name: string, options?: FindOptions): Promise<string> {
  const site = callSite(findCached)
  const { download, ...checked } = readFindOptions(options)
  const wanted = wantedOf(name, checked.revision)
  return attempt(
    site,
    async () => {
      const there = await pathInCache(wanted, checked.cache)
      if (there !== null) return there
      if (download) return (await fetchWanted(await openClient(name), wanted, checked)).path
      throw await isNotThere(wanted, checked.cache)
    },
    checked.signal,
  )
}

/** The newest snapshot that has all of it, that of the branch before all others. */
async function pathInCache(wanted: Wanted, cache: string): Promise<string | null> {
  const { kind, repo, revision } = wanted.subject
  const folder = new RepoCache(cache, kind, repo)
  for (const commit of await folder.commits(revision)) {
    if (revision !== 'main' && commit !== revision && commit !== (await folder.ref(revision))) continue
    const files = await folder.files(commit)
    const first = firstOf(
      wanted,
      files.filter((file) => isWhole(file, files)),
    )
    if (first !== null) return folder.pathOf(commit, first)
  }
  return null
}

function isWhole(first: string, files: readonly string[]): boolean {
  return partsOf(first).every((part) => files.includes(part))
}

async function isNotThere({ subject, name }: Wanted, cache: string): Promise<Error> {
  if (subject.kind === 'dataset') {
    return new Error(
      `The benchmark ${name} is not in the cache ${cache}: z1 pull ${name} downloads it from ${subject.repo}`,
    )
  }
  const folder = new RepoCache(cache, subject.kind, subject.repo)
  const names = (await listRepo(folder)).map(({ name }) => name)
  const others =
    names.length > 0 ? `; of this repository there ${names.length > 1 ? 'are' : 'is'} ${names.join(', ')}` : ''
  return new Z1Error(
    'MODEL_NOT_FOUND',
    `${name} is no file, and not in the cache ${cache}${oneLine(others, 400)}. z1 pull ${name} downloads it, or download: true`,
  )
}

/** The models and benchmarks' files that are in the cache whole, by name. */
export async function listCached(options?: CacheOptions): Promise<Cached[]> {
  const site = callSite(listCached)
  const { cache } = readCacheOptions(options)
  return attempt(site, async () => {
    const repos = [...(await cachedRepos(cache, 'model')), ...(await cachedRepos(cache, 'dataset'))]
    const found = await Promise.all(repos.map(listRepo))
    return found.flat()
  })
}

/** Each in the newest snapshot that has it. */
async function listRepo(folder: RepoCache): Promise<Cached[]> {
  const { kind, repo } = folder
  const found = new Map<string, Cached>()
  for (const commit of await folder.commits()) {
    const files = await folder.files(commit)
    for (const [name, first] of kind === 'model' ? modelNames(repo, files) : benchmarkNames(repo, files)) {
      if (found.has(name)) continue
      const path = folder.pathOf(commit, first)
      const facts = await Promise.all(partsOf(first).map((part) => stat(folder.pathOf(commit, part)).catch(() => null)))
      const size = facts.reduce((sum, fact) => sum + (fact?.size ?? 0), 0)
      const modified = new Date(Math.max(...facts.map((fact) => fact?.mtimeMs ?? 0)))
      found.set(name, { name, repo, commit, path, size, modified })
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function modelNames(repo: string, files: string[]): [string, string][] {
  return modelsAmong(files)
    .filter((first) => isWhole(first, files))
    .map((first) => [nameOf(repo, files, first), first])
}

function benchmarkNames(repo: string, files: string[]): [string, string][] {
  return Object.entries(BENCHMARKS).flatMap(([name, benchmark]): [string, string][] => {
    const first = benchmark.repo === repo ? files.find((file) => benchmark.file.test(file)) : undefined
    return first === undefined ? [] : [[name, first]]
  })
}

/**
 * Removes a model, or a benchmark's file, from the cache: all its parts, in every snapshot. Other files of its repository stay.
 * @param name One model: where a repository has several in the cache, its name alone is not enough.
 * @returns Bytes that were freed.
 * @throws {TypeError|RangeError} for what is no name.
 * @throws {Z1Error} MODEL_NOT_FOUND when it is not there, or several are.
 */
export async function removeCached(name: string, options?: CacheOptions): Promise<number> {
  const site = callSite(removeCached)
  const { cache } = readCacheOptions(options)
  const wanted = wantedOf(name, 'main')
  return attempt(site, async () => {
    const { kind, repo } = wanted.subject
    const folder = new RepoCache(cache, kind, repo)
    const isOpen = wanted.model?.quant === null && wanted.model.file === null
    const there = isOpen ? await listRepo(folder) : []
    if (there.length > 1) {
      const names = oneLine(there.map(({ name }) => name).join(', '), 400)
      throw new Z1Error('MODEL_NOT_FOUND', `${name} is several models in the cache: name one of ${names}`)
    }
    const files = new Set<string>()
    for (const commit of await folder.commits()) {
      const first = firstOf(wanted, await folder.files(commit))
      if (first !== null) for (const part of wanted.model ? partsOf(first) : [first]) files.add(part)
    }
    if (files.size === 0) throw await isNotThere(wanted, cache)
    return folder.remove([...files])
  })
}
