/** What a connection to a server is told. */
import { abortSignal, count, integer, isString, kind, numeric, text } from '../base/checks.js'
import { type Option, option, type Read, readOptions, required } from '../base/options.js'
import type { ConnectOptions } from '../reason/connect.js'
import { LOAD_OPTIONS } from '../reason/options.js'

const CONNECT_OPTIONS = {
  baseUrl: required(text),
  model: option(kind<string>('non-empty string', isString, { isValid: (value) => value !== '' })),
  apiKey: option(
    kind<string>('string of visible ASCII characters', isString, { isValid: (value) => /^[\x21-\x7e]+$/.test(value) }),
  ),
  chatTemplate: option(LOAD_OPTIONS.chatTemplate),
  templateVariables: option(LOAD_OPTIONS.templateVariables),
  contextSize: option(LOAD_OPTIONS.contextSize),
  parallel: option(integer(1, 4096)),
  retries: option(count(0), 4),
  backoff: option(
    numeric('number ≥ 0', (value) => value >= 0),
    500,
  ),
  signal: option(abortSignal()),
} satisfies Record<keyof ConnectOptions, Option<unknown>>

export type ResolvedConnectOptions = Read<typeof CONNECT_OPTIONS>

/** @throws {TypeError|RangeError} for options that cannot be. */
export function checkConnectOptions(input: unknown): ResolvedConnectOptions {
  return readOptions(CONNECT_OPTIONS, input)
}
