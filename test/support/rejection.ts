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
