import { describe, expect, it } from 'vitest'
import { codeBlocks } from '../../lib/grading/code-block.js'

const fence = '```'

describe('codeBlocks', () => {
  it.each<[string, [string, string][]]>([
    [`a\n${fence}python\nx\ny\n${fence}\nb`, [['python', 'x\ny']]],
    [
      `${fence}\nx\n${fence}\n${fence}js\ny\n${fence}`,
      [
        ['', 'x'],
        ['js', 'y'],
      ],
    ],
    [`${fence} Python title="a"\nx\n${fence}`, [['python', 'x']]],
    [`${fence}{.python}\nx\n${fence}`, [['', 'x']]],
    [`${fence}python\nx`, [['python', 'x']]],
    [`~~~py\nx\n${fence}\n~~~`, [['py', `x\n${fence}`]]],
    [`${fence}${'`'}\n${fence}\nx\n${fence}\n${fence}${'`'}`, [['', `${fence}\nx\n${fence}`]]],
    [`- a list\n  ${fence}python\n  if x:\n      y\n  ${fence}`, [['python', 'if x:\n    y']]],
    [`${fence}inline${fence} is none`, []],
    [`${fence}python\nx = "${fence}"\n${fence}`, [['python', `x = "${fence}"`]]],
    [`${fence}markdown\n${fence}\nx\n${fence}\nwords`, [['', 'x']]],
    [
      `${fence}markdown\n${fence}python\nx\n${fence}\n${fence}`,
      [
        ['python', 'x'],
        ['', ''],
      ],
    ],
    ['no fence', []],
  ])('%j', (text, expected) => {
    expect(codeBlocks(text).map(({ tag, code }) => [tag, code])).toEqual(expected)
  })
})
