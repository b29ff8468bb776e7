/** A table of options: what is read by it, what is absent, what is refused. */
import { describe, expect, it } from 'vitest'
import { count, oneOf, text } from '../../lib/base/checks.js'
import { option, readOptions, required } from '../../lib/base/options.js'

const table = {
  name: required(text),
  size: option(count(1), 7),
  mode: option(oneOf(['fast', 'slow'])),
}

describe('readOptions', () => {
  it('gives every option of the table, absent ones as their default', () => {
    expect(readOptions(table, { name: 'n' })).toEqual({ name: 'n', size: 7, mode: undefined })
    expect(readOptions(table, { mode: 'slow', size: 2, name: '' })).toEqual({ name: '', size: 2, mode: 'slow' })
    expect(readOptions(table, { name: 'n', size: undefined, mode: undefined })).toMatchObject({ size: 7 })
  })

  it('names the nearest option for one that it does not know', () => {
    expect(() => readOptions(table, { name: 'n', seize: 1 })).toThrow(
      new TypeError('Unknown option seize: did you mean size?'),
    )
    expect(() => readOptions(table, { colour: 1 })).toThrow('Unknown option colour: expected one of name, size, mode')
  })

  it.each([
    [{}, TypeError, 'Expected string for name but received undefined'],
    [undefined, TypeError, 'Expected string for name but received undefined'],
    [null, TypeError, 'Expected plain object for options but received null'],
    [{ name: 5 }, TypeError, 'Expected string for name but received 5'],
    [{ name: 'n', size: 0 }, RangeError, 'Expected integer ≥ 1 for size but received 0'],
    [{ name: 'n', mode: 'quick' }, RangeError, 'Expected fast or slow for mode but received "quick"'],
  ])('refuses %j', (input, Misuse, sentence) => {
    expect(() => readOptions(table, input)).toThrow(new Misuse(sentence))
  })

  it('takes an option with a default for another table, where it has none', () => {
    expect(readOptions({ size: option(table.size) }, {})).toEqual({ size: undefined })
    expect(readOptions({ name: option(table.name, 'n') }, {})).toEqual({ name: 'n' })
  })
})
