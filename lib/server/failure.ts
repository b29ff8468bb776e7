/** What went wrong with a request, as an HTTP status and a sentence. */
import { type ErrorCode, Z1Error } from '../base/errors.js'
import { RequestError } from '../protocol/error.js'

export interface Failure {
  status: number
  message: string
  /** The field at fault, if it is one. */
  param: string | null
  /** For programs. */
  code: string | null
  /** Seconds. */
  retryAfter: number | null
}

/** The client has gone: nobody reads it. nginx's number, for the metrics. */
export const CLIENT_GONE = 499

const STATUS: Partial<Record<ErrorCode, number>> = {
  CONTEXT_TOO_SMALL: 400,
  GRAMMAR_INVALID: 400,
  SCHEMA_INVALID: 400,
  TAGS_NOT_FOUND: 400,
  TEMPLATE_FAILED: 400,
  TEMPLATE_NOT_FOUND: 400,
  TOOLS_UNSUPPORTED: 400,
  MODEL_UNSUPPORTED: 400,
  REMOTE_REFUSED: 400,
  REMOTE_FAILED: 502,
  DISPOSED: 503,
  OUT_OF_MEMORY: 503,
}

export function failureOf(error: unknown): Failure {
  if (error instanceof RequestError) {
    const { status, message, param, retryAfter } = error
    return { status, message, param, code: null, retryAfter }
  }
  if (error instanceof Z1Error) {
    const status = STATUS[error.code] ?? 500
    // OpenAI's clients look for this one.
    const code = error.code === 'CONTEXT_TOO_SMALL' ? 'context_length_exceeded' : error.code
    return { status, message: error.message, param: null, code, retryAfter: status === 503 ? 5 : null }
  }
  return { status: 500, message: 'The server failed; its log tells more', param: null, code: null, retryAfter: null }
}

/** Of OpenAI's error types. */
export function openAiError({ status, message, param, code }: Failure) {
  return { error: { message, type: openAiType(status), param, code } }
}

function openAiType(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  if (status === 404) return 'not_found_error'
  if (status === 429) return 'rate_limit_error'
  if (status === 503) return 'unavailable_error'
  return status < 500 ? 'invalid_request_error' : 'server_error'
}

/** Of Anthropic's. */
export function anthropicError({ status, message }: Failure) {
  return { type: 'error', error: { type: anthropicType(status), message } }
}

function anthropicType(status: number): string {
  if (status === 413) return 'request_too_large'
  if (status === 503) return 'overloaded_error'
  const type = openAiType(status)
  return type === 'server_error' ? 'api_error' : type
}
