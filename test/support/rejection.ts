/** What a promise rejects with, in one word. */
import { Z1Error } from '../../lib/base/errors.js'

/** Code of the Z1Error, or of a native error; else the error as text. `none` when the promise is fulfilled. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => {
      const ours = error instanceof Z1Error || (error instanceof Error && Object.hasOwn(error, 'code'))
      return ours ? String((error as { code: unknown }).code) : String(error)
    },
  )
}

/** What it rejects with; an error of its own when it is fulfilled. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('Expected a rejection'),
    (error: unknown) => error,
  )
}
