/** A request's body: JSON of bounded size. */
import { fieldsOf } from '../base/checks.js'
import { decodeText } from '../base/text.js'
import { RequestError } from '../protocol/error.js'

/** @throws {RequestError} 400, 413, 415. */
export async function readBody(request: Request, maxBytes: number): Promise<Map<string, unknown>> {
  const type = request.headers.get('content-type') ?? ''
  // Pages of other origins cannot send this type without asking first.
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw new RequestError('Expected content-type application/json', null, 415)
  }
  const encoding = request.headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity') {
    throw new RequestError(`Expected no content-encoding but received ${JSON.stringify(encoding)}`, null, 415)
  }
  const text = decode(await readBytes(request, maxBytes))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new RequestError(`The body is not valid JSON: ${(error as Error).message}`)
  }
  try {
    return fieldsOf(value, 'the body')
  } catch (error) {
    throw new RequestError((error as Error).message)
  }
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () => new RequestError(`Expected a body of at most ${maxBytes} bytes`, null, 413)
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength
      if (size > maxBytes) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof RequestError) throw error
    throw new RequestError('The body ended early')
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Uint8Array): string {
  try {
    return decodeText(bytes)
  } catch (error) {
    throw new RequestError(`The body: ${(error as Error).message}`)
  }
}
