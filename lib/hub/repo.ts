/** What the Hub says of a repository: its commit, its files with their hashes, its license. */
import { isPlainObject, isString } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { oneLine } from '../base/one-line.js'
import type { HubClient, Subject } from './client.js'
import type { RemoteFile } from './download.js'
import { isSafePath } from './names.js'

export interface RepoInfo {
  commit: string
  /** Those that can be downloaded and checked, by their paths, in the order of these. */
  files: Map<string, RemoteFile>
  /** As its card names it, e.g. `apache-2.0`; null: it names none. */
  license: string | null
}

/** @throws {Z1Error} REMOTE_FAILED, REMOTE_REFUSED, MODEL_NOT_FOUND. */
export async function repoInfo(client: HubClient, subject: Subject, signal?: AbortSignal): Promise<RepoInfo> {
  const { kind, repo, revision } = subject
  const path = `/api/${kind}s/${repo}/revision/${encodeURIComponent(revision)}?blobs=true`
  const info = await client.json(path, subject, signal)
  const { sha, siblings, cardData } = isPlainObject(info) ? (info as Record<string, unknown>) : {}
  if (!isString(sha) || !/^[0-9a-f]{40}$/.test(sha) || !Array.isArray(siblings)) {
    throw new Z1Error('REMOTE_FAILED', `${client.endpoint} does not say what ${repo} holds`)
  }
  if (
    siblings.length > 0 &&
    !siblings.some((sibling) => isPlainObject(sibling) && ('lfs' in sibling || 'blobId' in sibling))
  ) {
    throw new Z1Error('REMOTE_FAILED', `${client.endpoint} does not say what the hashes of the files of ${repo} are`)
  }
  const prefix = kind === 'dataset' ? '/datasets' : ''
  const files = siblings
    .map((sibling) => fileOf(sibling, (path) => `${prefix}/${repo}/resolve/${sha}/${encodedPath(path)}`))
    .filter((file) => file !== null)
    .sort((a, b) => (a.path < b.path ? -1 : 1))
  const license = isPlainObject(cardData) ? (cardData as Record<string, unknown>).license : null
  return {
    commit: sha,
    files: new Map(files.map((file) => [file.path, file])),
    license: isString(license) ? oneLine(license, 80) : null,
  }
}

/** Null for what has no size or hash, or a name that would leave its folder. */
function fileOf(sibling: unknown, urlOf: (path: string) => string): RemoteFile | null {
  if (!isPlainObject(sibling)) return null
  const { rfilename: path, size, blobId, lfs } = sibling as Record<string, unknown>
  const large = isPlainObject(lfs) ? (lfs as Record<string, unknown>) : null
  const [hash, bytes] = large ? [large.sha256 ?? large.oid, large.size ?? size] : [blobId, size]
  if (!isString(path) || !isSafePath(path) || !isString(hash) || !Number.isSafeInteger(bytes)) return null
  const pattern = large ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/
  return pattern.test(hash) && (bytes as number) >= 0 ? { path, size: bytes as number, hash, url: urlOf(path) } : null
}

function encodedPath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
