/**
 * Who may ask. A server on this machine is reached by every page that its user's browser shows: pages of other origins are refused, and
 * names that are not the server's (DNS rebinding).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { RequestError } from '../protocol/error.js'
import type { ResolvedAppOptions } from './options.js'

/** Names of this machine, for itself. */
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']

/** A browser sends about twenty. */
const MAX_HEADERS = 100

/** @throws {RequestError} 403, 431. */
export function checkSender(request: Request, { hosts, origins }: Pick<ResolvedAppOptions, 'hosts' | 'origins'>): void {
  if ([...request.headers.keys()].length > MAX_HEADERS) {
    throw new RequestError(`Expected at most ${MAX_HEADERS} headers`, null, 431)
  }
  // A request without a socket behind it has no such header, and one that was meant for a proxy names another host in its first line.
  const address = new URL(request.url).host
  const host = request.headers.get('host') ?? address
  const allowed = [...LOOPBACK_NAMES, ...hosts]
  if (!hosts.includes('*') && ![host, address].every((name) => allowed.includes(nameOf(name)))) {
    throw new RequestError(
      `The host ${JSON.stringify(host.slice(0, 100))} is not one of this server's names`,
      null,
      403,
    )
  }
  const origin = request.headers.get('origin')
  if (origin !== null && !isAllowed(origin, host, origins)) {
    throw new RequestError(
      `Pages of the origin ${JSON.stringify(origin.slice(0, 100))} may not ask this server`,
      null,
      403,
    )
  }
}

/** Headers that let a page of another origin read the answer; none for the server's own. */
export function corsHeaders(request: Request): Record<string, string> {
  const origin = request.headers.get('origin')
  if (origin === null) return {}
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'z1-warning, retry-after',
    vary: 'Origin',
  }
}

export const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST',
  'access-control-allow-headers':
    'authorization, content-type, x-api-key, anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access',
  'access-control-max-age': '600',
}

/** Takes the same time for every wrong key. @throws {RequestError} 401. */
export function checkKey(headers: Headers, apiKey: string | undefined): void {
  if (apiKey === undefined) return
  const given = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1] ?? headers.get('x-api-key') ?? ''
  if (timingSafeEqual(digest(given), digest(apiKey))) return
  throw new RequestError(given === '' ? 'Expected an API key' : 'The API key is wrong', null, 401)
}

/** Of the same length, whatever the text. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** A host without its port, and without the dot that ends a full name. */
function nameOf(host: string): string {
  const [, name = ''] = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/.exec(host.toLowerCase()) ?? []
  return name.replace(/\.$/, '')
}

function isAllowed(origin: string, host: string, origins: readonly string[]): boolean {
  if (origins.includes('*') || origins.includes(origin)) return true
  // `null` is what sandboxed pages and files send.
  return (
    URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && new URL(origin).host === host.toLowerCase()
  )
}
