/** The page at `/`: its files, and the policy under which a browser shows them. It asks nobody but this server. */
import { readFileSync } from 'node:fs'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/** By path. */
const FILES: Readonly<Record<string, string>> = {
  '/': 'page.html',
  '/page.css': 'page.css',
  '/page.js': 'page.js',
  '/client.js': 'client.js',
  '/settings.js': 'settings.js',
}

/** They hold nothing that a key would have to keep. */
export const PAGE_PATHS = Object.keys(FILES)

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** @param path One of {@link PAGE_PATHS}. */
export function pageFile(path: string): Response {
  const name = FILES[path] as string
  const body = readFileSync(new URL(`page/${name}`, import.meta.url))
  return new Response(body, {
    headers: {
      'content-type': TYPES[name.split('.')[1] as string] as string,
      'content-security-policy': POLICY,
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
    },
  })
}
