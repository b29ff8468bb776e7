/** What `Z1.detokenize()` is given: token ids, and how to show them. */
import { boolean, kind, misuse } from '../base/checks.js'
import { option, type Read, readOptions } from '../base/options.js'

const DETOKENIZE_OPTIONS = {
  special: option(boolean, false),
}

export function checkDetokenizeOptions(input: unknown): Read<typeof DETOKENIZE_OPTIONS> {
  return readOptions(DETOKENIZE_OPTIONS, input)
}

/** More than the largest context has. They are read while JavaScript waits. */
const MOST_TOKENS = 2 ** 24

/**
 * A copy of token ids of a vocabulary. What can be read only once, as a generator, is refused.
 * @throws {RangeError} for more than 16777216, and for an id that the vocabulary has not.
 */
export function checkTokens(input: unknown, vocabularySize: number): Int32Array {
  const given = tokenList.read(input, 'tokens')
  const { length } = given
  if (length > MOST_TOKENS) throw misuse(RangeError, `at most ${MOST_TOKENS} ids`, 'tokens', length)
  const ids = new Int32Array(length)
  for (let i = 0; i < length; i++) {
    const id = given[i] as number
    if (!Number.isInteger(id) || id < 0 || id >= vocabularySize) {
      throw misuse(RangeError, `ids from 0 to ${vocabularySize - 1}`, 'tokens', id)
    }
    ids[i] = id
  }
  return ids
}

const tokenList = kind('array of token ids', isTokenList)

function isTokenList(value: unknown): value is ArrayLike<number> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}
