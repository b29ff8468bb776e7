/**
 * The cache on disk, in the layout of Python's huggingface_hub: `models--user--repo/` with `blobs/` (contents, by their hash),
 * `snapshots/<commit>/` (links to them, by their names) and `refs/<revision>` (the commit of a branch). Asks nothing of the network.
 */
import { lstat, mkdir, readdir, readFile, readlink, rename, rm, rmdir, stat, symlink } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { replaceFile, writeAll } from '../base/files.js'

export type RepoKind = 'model' | 'dataset'

/** A repository's part of the cache. */
export class RepoCache {
  readonly folder: string
  /** Beside which locks are, one for each blob. */
  readonly locks: string

  constructor(
    cache: string,
    readonly kind: RepoKind,
    readonly repo: string,
  ) {
    const name = `${kind}s--${repo.replace('/', '--')}`
    this.folder = join(cache, name)
    this.locks = join(cache, '.locks', name)
  }

  /** Where the content with a hash is, or will be. */
  blob(hash: string): string {
    return join(this.folder, 'blobs', hash)
  }

  /** A file's name in a snapshot. It is not to be resolved: llama.cpp finds the other parts of a model beside it. */
  pathOf(commit: string, file: string): string {
    return join(this.folder, 'snapshots', commit, ...file.split('/'))
  }

  /** Bytes of a file in a snapshot; -1: it is not there. */
  async sizeOf(commit: string, file: string): Promise<number> {
    return (await stat(this.pathOf(commit, file)).catch(() => null))?.size ?? -1
  }

  /** Gives a blob its name in a snapshot. Where the system has no links, the blob moves there, as Python does it. */
  async link(commit: string, file: string, hash: string): Promise<void> {
    const path = this.pathOf(commit, file)
    const target = relative(dirname(path), this.blob(hash))
    if ((await readlink(path).catch(() => null)) === target) return
    await mkdir(dirname(path), { recursive: true })
    const temporary = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`
    try {
      await symlink(target, temporary)
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      if (!['EPERM', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw error
      await rename(this.blob(hash), path)
    }
  }

  /** Which commit a branch is. */
  async setRef(revision: string, commit: string): Promise<void> {
    const path = join(this.folder, 'refs', ...revision.split('/'))
    if (revision === commit || (await readFile(path, 'utf8').catch(() => null)) === commit) return
    await mkdir(dirname(path), { recursive: true })
    await replaceFile(path, ({ handle }) => writeAll(handle, Buffer.from(commit)))
  }

  /** The commit that a branch was when it was pulled last; null: it was not. */
  async ref(revision: string): Promise<string | null> {
    const text = await readFile(join(this.folder, 'refs', ...revision.split('/')), 'utf8').catch(() => null)
    return text === null ? null : text.trim()
  }

  /** Commits that have a snapshot: that of the branch first, then the newest. */
  async commits(revision = 'main'): Promise<string[]> {
    const folder = join(this.folder, 'snapshots')
    const names = await readdir(folder).catch((): string[] => [])
    const facts = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => null)))
    const time = (name: string) => facts[names.indexOf(name)]?.mtimeMs ?? 0
    const first = await this.ref(revision)
    return names
      .filter((_, i) => facts[i]?.isDirectory())
      .sort((a, b) => Number(b === first) - Number(a === first) || time(b) - time(a))
  }

  /** Files of a snapshot whose contents are there, with `/` between folders, sorted. */
  async files(commit: string): Promise<string[]> {
    const folder = join(this.folder, 'snapshots', commit)
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    const paths = entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    const there = await Promise.all(paths.map(async (path) => (await stat(path).catch(() => null))?.isFile() === true))
    return paths
      .filter((path, i) => there[i] && !path.endsWith('.tmp'))
      .map((path) => relative(folder, path).split(sep).join('/'))
      .sort()
  }

  /**
   * Removes files from all snapshots, contents that no snapshot has any more, and what is empty then.
   * @returns Bytes that were freed.
   */
  async remove(files: readonly string[]): Promise<number> {
    const commits = await this.commits()
    const blobs = new Set<string>()
    let freed = 0
    for (const commit of commits) {
      for (const file of files) {
        const path = this.pathOf(commit, file)
        const facts = await lstat(path).catch(() => null)
        if (!facts) continue
        if (facts.isSymbolicLink()) blobs.add(resolve(dirname(path), await readlink(path)))
        else freed += facts.size
        await rm(path, { force: true })
      }
    }
    const used = await this.#usedBlobs(commits)
    for (const blob of blobs) {
      // A link may lead anywhere: only contents of this repository are its own.
      if (used.has(blob) || dirname(blob) !== join(this.folder, 'blobs')) continue
      freed += (await stat(blob).catch(() => null))?.size ?? 0
      await rm(blob, { force: true })
    }
    await this.#sweep()
    return freed
  }

  async #usedBlobs(commits: readonly string[]): Promise<Set<string>> {
    const used = new Set<string>()
    for (const commit of commits) {
      for (const file of await this.files(commit)) {
        const path = this.pathOf(commit, file)
        const target = await readlink(path).catch(() => null)
        if (target !== null) used.add(resolve(dirname(path), target))
      }
    }
    return used
  }

  /** Empty snapshots go, with the branches that were them; the last one takes the folder with it. */
  async #sweep(): Promise<void> {
    const commits = await this.commits()
    for (const commit of commits) await removeEmpty(join(this.folder, 'snapshots', commit))
    const left = await this.commits()
    const refs = join(this.folder, 'refs')
    for (const entry of await readdir(refs, { recursive: true, withFileTypes: true }).catch(() => [])) {
      const path = join(entry.parentPath ?? entry.path, entry.name)
      if (!entry.isFile()) continue
      if (!left.includes((await readFile(path, 'utf8')).trim())) await rm(path, { force: true })
    }
    if (left.length > 0) return
    const blobs = await readdir(join(this.folder, 'blobs')).catch(() => [])
    // A download that was interrupted is somebody's work.
    if (blobs.length === 0) await rm(this.folder, { recursive: true, force: true })
  }
}

/** Removes a folder and those in it, as far as they are empty. */
async function removeEmpty(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeEmpty(join(folder, entry.name))
  }
  await rmdir(folder).catch(() => {})
}

/** The repositories of a kind that a cache holds. */
export async function cachedRepos(cache: string, kind: RepoKind): Promise<RepoCache[]> {
  const prefix = `${kind}s--`
  const names = await readdir(cache).catch(() => [])
  return names
    .filter((name) => name.startsWith(prefix))
    .map((name) => basename(name).slice(prefix.length).replace('--', '/'))
    .sort()
    .map((repo) => new RepoCache(cache, kind, repo))
}
