/** A request that cannot be served as it is asked, and which part of it is at fault. */
import { oneLine } from '../base/one-line.js'

export class RequestError extends Error {
  static {
    RequestError.prototype.name = 'RequestError'
  }

  constructor(
    message: string,
    /** Name of the field, as the client wrote it; null: the request as a whole. */
    readonly param: string | null = null,
    /** HTTP status: 400, unless another one says it better. */
    readonly status = 400,
    /** Seconds after which the same request may succeed. */
    readonly retryAfter: number | null = null,
  ) {
    super(oneLine(message))
  }
}
