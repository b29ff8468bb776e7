import { describe, expect, it } from 'vitest'
import { atCall, callSite, ERROR_CODES, fromNative, Z1Error } from '../../lib/base/errors.js'

describe('Z1Error', () => {
  it('carries its code and its cause', () => {
    const cause = new Error('disk on fire')
    const error = new Z1Error('MODEL_INVALID', 'Cannot load x.gguf', { cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ name: 'Z1Error', code: 'MODEL_INVALID', message: 'Cannot load x.gguf', cause })
    expect(String(error)).toBe('Z1Error: Cannot load x.gguf')
    expect(error.stack).toMatch(/^Z1Error: Cannot load x\.gguf\n/)
  })

  it('has no cause where none was given', () => {
    expect(new Z1Error('DISPOSED', 'gone')).not.toHaveProperty('cause')
  })

  it('is one line of at most 2,000 characters, whatever it quotes', () => {
    const { message, stack } = new Z1Error('MODEL_INVALID', `m.gguf: the tensor ${'x\n'.repeat(1e6)} is missing`)
    expect(message).toMatch(/^m\.gguf: the tensor x\\n.*….*x\\n is missing$/)
    expect(message.length).toBe(2000)
    expect(stack?.split('\n')[0]).toBe(`Z1Error: ${message}`)
    // Native code reports a plain error with a code.
    const native = Object.assign(new Error(`Cannot load ${'y\n'.repeat(1e6)}: no`), { code: 'MODEL_INVALID' })
    const made = atCall({}, native) as Z1Error
    expect(made.message).toMatch(/^Cannot load y\\n.*…[^\n]*: no$/)
    expect(made.stack).toBe(`Z1Error: ${made.message}`)
  })

  it('has lines below it where they are given as such', () => {
    const lines = ['  cpu: no\nlibrary', 'z'.repeat(5000)]
    const [head, first, second, ...rest] = new Z1Error('ENGINE_NOT_FOUND', 'None:', { lines }).message.split('\n')
    expect([head, first, rest]).toEqual(['None:', '  cpu: no\\nlibrary', []])
    expect(second?.length).toBe(2000)
  })

  it('lists each code once, in alphabetical order', () => {
    expect([...ERROR_CODES]).toEqual([...new Set(ERROR_CODES)].sort())
  })
})

describe('fromNative', () => {
  function publicCall() {
    return callSite(publicCall)
  }
  function userCode() {
    return publicCall()
  }
  const later = <T>(action: () => T) => new Promise<T>((resolve) => setImmediate(() => resolve(action())))

  it("shows the caller's stack, without the function that was called", async () => {
    const site = userCode()
    const error = await later(() => fromNative(site, 'DECODE_FAILED', 'llama_decode returned -3'))
    const [head, first] = (error.stack as string).split('\n')
    expect(error).toMatchObject({ name: 'Z1Error', code: 'DECODE_FAILED', message: 'llama_decode returned -3' })
    expect(head).toBe('Z1Error: llama_decode returned -3')
    expect(first).toMatch(/^ {4}at userCode \(/)
    expect(error.stack).not.toContain('publicCall')
    expect(error.stack).not.toContain('Immediate')
  })

  it('takes an ordinary error for a call site, and keeps a message of several lines whole', () => {
    const site = new Error('first line\nsecond line')
    const error = fromNative(site, 'OUT_OF_MEMORY', 'no room', { cause: 1 })
    expect(error.stack).toMatch(/^Z1Error: no room\n {4}at /)
    expect(error.stack).not.toContain('second line')
    expect(error.cause).toBe(1)
  })

  it('does without frames where none were recorded', () => {
    expect(fromNative({}, 'DISPOSED', 'gone').stack).toBe('Z1Error: gone')
    expect(fromNative({ stack: 'Error' }, 'DISPOSED', 'gone').stack).toBe('Z1Error: gone')
  })
})

describe('atCall', () => {
  function publicCall() {
    return callSite(publicCall)
  }
  const site = (function userCode() {
    return publicCall()
  })()

  it('gives a Z1Error the stack of the call, and leaves the rest of it', () => {
    const cause = new Error('disk on fire')
    const error = new Z1Error('MODEL_INVALID', 'Cannot load x.gguf', { cause, lines: ['    at all'] })
    expect(atCall(site, error)).toBe(error)
    expect(error).toMatchObject({ code: 'MODEL_INVALID', message: 'Cannot load x.gguf\n    at all', cause })
    const [frame] = (error.stack as string).slice('Z1Error: Cannot load x.gguf\n    at all\n'.length).split('\n')
    expect(frame).toMatch(/^ {4}at userCode \(/)
    expect(Object.keys(error)).toEqual(['code'])
  })

  it('makes a Z1Error of a native failure', () => {
    const native = Object.assign(new Error('llama_decode returned -3'), { code: 'DECODE_FAILED' })
    const error = atCall(site, native) as Z1Error
    expect(error).toBeInstanceOf(Z1Error)
    expect(error).toMatchObject({ code: 'DECODE_FAILED', message: 'llama_decode returned -3' })
    expect(error.stack).toMatch(/^Z1Error: llama_decode returned -3\n {4}at userCode \(/)
  })

  it('leaves alone what is not ours', () => {
    const others = [
      new DOMException('This operation was aborted', 'AbortError'),
      Object.assign(new Error('no such file'), { code: 'ENOENT' }),
      new RangeError('Expected more'),
      { code: 'DISPOSED' },
      'just because',
      undefined,
    ]
    for (const other of others) {
      const stack = other instanceof Error ? other.stack : undefined
      expect(atCall(site, other)).toBe(other)
      if (other instanceof Error) expect(other.stack).toBe(stack)
    }
  })
})
