import { expect, it } from 'vitest'
import { Z1Error } from '../../lib/base/errors.js'
import { packError, unpackError } from '../../lib/electron/protocol.js'

/** As a port sends it. */
const sent = (error: unknown) => unpackError(structuredClone(packError(error))) as Error & { code?: unknown }

it('an error of the package keeps class, code, lines and cause', () => {
  const cause = Object.assign(new Error('no such file'), { code: 'ENOENT' })
  const error = sent(new Z1Error('ENGINE_NOT_FOUND', 'None:', { lines: ['  cpu: gone'], cause }))
  expect(error).toBeInstanceOf(Z1Error)
  expect(error).toMatchObject({ name: 'Z1Error', code: 'ENGINE_NOT_FOUND', message: 'None:\n  cpu: gone' })
  expect(error.cause).toBeInstanceOf(Error)
  expect(error.cause).toMatchObject({ name: 'Error', code: 'ENOENT', message: 'no such file' })
  expect(sent(new Z1Error('DISPOSED', 'gone'))).not.toHaveProperty('cause')
})

it.each([new TypeError('no'), new RangeError('far'), new SyntaxError('odd')])('%s keeps its class', (error) => {
  expect(sent(error)).toBeInstanceOf(error.constructor)
  expect(sent(error)).toMatchObject({ name: error.name, message: error.message })
})

it('an abort is one, and classes that are not known keep their names', () => {
  expect(sent(new DOMException('left', 'AbortError'))).toMatchObject({ name: 'AbortError', message: 'left', code: 20 })
  class OddError extends Error {
    override name = 'OddError'
  }
  expect(String(sent(new OddError('x')))).toBe('OddError: x')
  // A code that only looks like one of the package's.
  expect(sent(Object.assign(new Error('x'), { name: 'Z1Error', code: 'NOPE' }))).not.toBeInstanceOf(Z1Error)
})

it('what is no error is sent as it is, or as a text; circles of causes end', () => {
  expect(sent('stop')).toBe('stop')
  expect(sent(undefined)).toBe(undefined)
  expect(sent(() => 1)).toBe('() => 1')
  const error = new Error('round')
  error.cause = error
  let depth = 0
  for (let at: unknown = sent(error); at instanceof Error; at = at.cause) depth++
  expect(depth).toBe(9)
})
