/**
 * A Hugging Face Hub on this machine: the API that lists a repository's files, and their contents, in ranges. What goes wrong is a
 * test's to say. A second server on another port stands for the storage that the Hub redirects to.
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HubRepo {
  kind?: 'model' | 'dataset'
  commit?: string
  license?: string
  gated?: boolean
  /** Contents by path. Those of at least 1 KB are large files: known by their SHA-256. */
  files: Record<string, Buffer>
}

/** A request, as it was answered. */
export interface Seen {
  /** `hub` or `storage`. */
  by: string
  method: string
  path: string
  range: string | undefined
  authorization: string | undefined
  /** Bytes of the body that were handed to the system. */
  sent: number
}

/** What happens to a request for a file's content; nothing: it is answered as it should be. */
export interface Fault {
  status?: number
  headers?: Record<string, string>
  body?: string
  /** The connection ends after so many bytes. */
  dropAfter?: number
  /** All of the file comes, whatever was asked for. */
  ignoreRange?: boolean
  /** The byte at this place of the file is another one. */
  wrongByte?: number
  /** Nothing more comes after so many bytes. */
  stallAfter?: number
  /** Milliseconds before each 64 KiB. */
  pace?: number
  /** The server waits before it sends what ends at this byte of the file. */
  mayReach?: (end: number) => boolean
  /** More than the file has. */
  tail?: Buffer
}

export const COMMIT = 'c0ffee'.padEnd(40, '0')

export class HubServer {
  readonly repos = new Map<string, HubRepo>()
  readonly seen: Seen[] = []
  /** Of requests for contents, by number (0 …) of such requests. */
  fault: (request: IncomingMessage, n: number) => Fault | undefined = () => undefined
  /** Of requests to the API. */
  apiFault: (request: IncomingMessage, n: number) => Fault | undefined = () => undefined
  /** Contents come from the other server, as large files do on the Hub. */
  redirects = false
  #contents = 0
  #api = 0

  private constructor(
    readonly hub: Server,
    readonly storage: Server,
  ) {
    hub.on('request', (request, response) => this.#answer('hub', request, response))
    storage.on('request', (request, response) => this.#answer('storage', request, response))
  }

  static async open(): Promise<HubServer> {
    const servers = [createServer(), createServer()] as [Server, Server]
    for (const server of servers) await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    return new HubServer(...servers)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.hub.address() as AddressInfo).port}`
  }

  get storageUrl(): string {
    return `http://127.0.0.1:${(this.storage.address() as AddressInfo).port}`
  }

  reset(): void {
    this.repos.clear()
    this.seen.length = 0
    this.fault = this.apiFault = () => undefined
    this.redirects = false
    this.#contents = this.#api = 0
  }

  close(): void {
    for (const server of [this.hub, this.storage]) {
      server.close()
      server.closeAllConnections()
    }
  }

  /** Requests for contents. */
  get contents(): Seen[] {
    return this.seen.filter(({ path, method }) => path.includes('/resolve/') && method === 'GET')
  }

  #answer(by: 'hub' | 'storage', request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '', this.url)
    const { range, authorization } = request.headers
    const seen: Seen = { by, method: request.method ?? '', path: url.pathname, range, authorization, sent: 0 }
    this.seen.push(seen)
    const path = decodeURIComponent(url.pathname)
    const [, apiKind, apiRepo] =
      /^\/api\/(model|dataset)s\/([^/]+\/[^/]+)(\/revision\/[^/]+)?$/.exec(url.pathname) ?? []
    if (apiRepo !== undefined) {
      const fault = this.apiFault(request, this.#api++)
      if (fault?.status !== undefined) return this.#fail(response, fault)
      return this.#info(response, this.#repo(apiKind as string, apiRepo), fault)
    }
    const [, prefix, name, file] = /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(path) ?? []
    const repo = name === undefined ? undefined : this.#repo(prefix ? 'dataset' : 'model', name)
    const content = file === undefined ? undefined : repo?.files[file]
    if (!repo) return this.#fail(response, { status: 404, headers: { 'x-error-code': 'RepoNotFound' } })
    if (!content) return this.#fail(response, { status: 404, headers: { 'x-error-code': 'EntryNotFound' } })
    if (repo.gated && authorization === undefined) {
      return this.#fail(response, { status: 401, headers: { 'x-error-code': 'GatedRepo' } })
    }
    const { hash } = describe(content)
    const headers = { etag: `"${hash}"`, 'x-linked-etag': `"${hash}"`, 'x-linked-size': String(content.length) }
    const { commit = COMMIT } = repo
    if (by === 'hub' && this.redirects) {
      response.writeHead(302, { ...headers, 'x-repo-commit': commit, location: this.storageUrl + request.url }).end()
      return
    }
    const fault = request.method === 'HEAD' ? undefined : this.fault(request, this.#contents++)
    this.#content(response, seen, content, { ...headers, 'x-repo-commit': commit }, fault)
  }

  #repo(kind: string, name: string): HubRepo | undefined {
    const repo = this.repos.get(name)
    return (repo?.kind ?? 'model') === kind ? repo : undefined
  }

  #fail(response: ServerResponse, { status = 500, headers = {}, body = '' }: Fault): void {
    response.writeHead(status, headers).end(body)
  }

  #info(response: ServerResponse, repo: HubRepo | undefined, fault: Fault | undefined) {
    if (!repo) return this.#fail(response, { status: 404, headers: { 'x-error-code': 'RepoNotFound' } })
    const siblings = Object.entries(repo.files).map(([rfilename, content]) => {
      const { hash, isLarge } = describe(content)
      const size = content.length
      return isLarge
        ? { rfilename, size, blobId: '0'.repeat(40), lfs: { sha256: hash, size } }
        : { rfilename, size, blobId: hash }
    })
    const { commit = COMMIT, license, gated = false } = repo
    const body = fault?.body ?? JSON.stringify({ sha: commit, gated, siblings, cardData: license ? { license } : {} })
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }

  async #content(
    response: ServerResponse,
    seen: Seen,
    content: Buffer,
    headers: Record<string, string>,
    fault: Fault = {},
  ) {
    if (fault.status !== undefined) return this.#fail(response, fault)
    let body = Buffer.concat([content, fault.tail ?? Buffer.alloc(0)])
    if (fault.wrongByte !== undefined) {
      body = Buffer.from(body)
      body[fault.wrongByte] = (body[fault.wrongByte] as number) ^ 1
    }
    const [, from, to] = (!fault.ignoreRange && /^bytes=(\d+)-(\d*)$/.exec(seen.range ?? '')) || []
    if (from !== undefined && Number(from) >= body.length) {
      response.writeHead(416, { 'content-range': `bytes */${body.length}` }).end()
      return
    }
    const start = Number(from ?? 0)
    const end = Math.min(to ? Number(to) + 1 : body.length, body.length)
    const part = from === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${body.length}` }
    response.writeHead(from === undefined ? 200 : 206, {
      ...headers,
      ...part,
      'content-length': String(end - start),
      'accept-ranges': 'bytes',
    })
    if (seen.method === 'HEAD') {
      response.end()
      return
    }
    const stop = Math.min(end, start + Math.min(fault.dropAfter ?? Infinity, fault.stallAfter ?? Infinity))
    for (let at = start; at < stop; ) {
      if (response.destroyed) return
      const next = Math.min(at + 65536, stop)
      if (fault.pace) await new Promise((done) => setTimeout(done, fault.pace))
      while (fault.mayReach && !fault.mayReach(next) && !response.destroyed) {
        await new Promise((done) => setTimeout(done, 2))
      }
      // A full buffer waits for its reader; one that went away never reads.
      if (!response.write(body.subarray(at, next))) {
        await new Promise<void>((resolve) => {
          const done = () => {
            response.off('drain', done).off('close', done)
            resolve()
          }
          response.on('drain', done).on('close', done)
        })
      }
      seen.sent += next - at
      at = next
    }
    if (fault.dropAfter !== undefined && stop < end) setTimeout(() => response.destroy(), 10)
    else if (fault.stallAfter === undefined) response.end()
  }
}

/** As the Hub names a content: a large file by its SHA-256, a small one by git's hash. */
export function describe(content: Buffer): { hash: string; isLarge: boolean } {
  if (content.length >= 1024) return { hash: createHash('sha256').update(content).digest('hex'), isLarge: true }
  const header = `blob ${content.length}\0`
  return { hash: createHash('sha1').update(header).update(content).digest('hex'), isLarge: false }
}
