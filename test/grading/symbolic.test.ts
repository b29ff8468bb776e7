import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadSymbolic, sameAnswer } from '../../dist/eval/index.js'
import { temporaryFolder } from '../support/folder.js'

const tex = String.raw
const EVALUATION = new URL('../../dist/eval/index.js', import.meta.url).href

describe('expressions that only the engine decides', () => {
  beforeAll(async () => {
    await loadSymbolic()
  })

  it.each([
    [tex`\sum_{k=1}^{100} k`, '5050', '5051'],
    [tex`\sum_{k=1}^{n} k^2`, tex`\frac{n(n+1)(2n+1)}{6}`, tex`\frac{n(n+1)}{2}`],
    [tex`\prod_{k=2}^{4} k`, '24', '25'],
    [tex`\int_0^1 x^2\,dx`, tex`\frac13`, tex`\frac12`],
    [tex`\lfloor \pi \rfloor`, '3', '4'],
    [tex`\gcd(12, 18)`, '6', '12'],
    [tex`(2+3i)(2-3i)`, '13', '-5'],
    [tex`\frac{1}{1+i}`, tex`\frac{1-i}{2}`, tex`\frac{1+i}{2}`],
    [tex`e^{i\theta}`, tex`\cos\theta + i\sin\theta`, tex`\cos\theta - i\sin\theta`],
    [tex`(\lfloor 2.5 \rfloor, 1)`, '(2, 1)', '(1, 2)'],
  ])('%j is %j and not %j', (expected, same, other) => {
    expect(sameAnswer(expected, same)).toBe(true)
    expect(sameAnswer(same, expected)).toBe(true)
    expect(sameAnswer(expected, other)).toBe(false)
    expect(sameAnswer(other, expected)).toBe(false)
  })

  it.each([
    [tex`\overline{z}`, 'z'],
    [tex`\bar{z} + i`, 'z + i'],
    [tex`\operatorname{Re}(z) + i - i`, 'z'],
    [tex`\sum_{k=1}^{n} k + \sin(\pi x)`, tex`\frac{n(n+1)}{2}`],
    [tex`\lfloor x \rfloor`, 'x'],
    [tex`\lfloor x \rfloor`, tex`\lceil x \rceil`],
    [tex`i^n`, '1'],
    [tex`\sqrt{-x}`, tex`\sqrt{x}`],
    [tex`\sum_{k=1}^{n} k`, tex`\sum_{k=1}^{m} k`],
  ])('%j is not %j', (expected, given) => {
    expect(sameAnswer(expected, given)).toBe(false)
    expect(sameAnswer(given, expected)).toBe(false)
  })

  it.each([
    ['a power without end', '(1+i)^{9^{9}}'],
    ['a tower', '9^{9^{9^{9}}}i'],
    ['a tower in signs', 'i9^9^9^9'],
    ['factorials', '((9!)!)!i'],
    ['a long power', '(x+y+z)^{9999}+i'],
    ['sums in sums', tex`\sum_{k=1}^{9999}\sum_{j=1}^{9999}\sum_{m=1}^{9999} kjm`],
    ['roots in roots', `${tex`\sqrt{`.repeat(200)}i${'}'.repeat(200)}`],
    ['brackets', `${'('.repeat(5000)}i${')'.repeat(5000)}`],
    ['floors', `${tex`\lfloor `.repeat(100)}i${tex`\rfloor `.repeat(100)}`],
    ['no mathematics', tex`\frac{\sum}{\int_{`],
  ])('is over, and goes on, after %s', (_, hostile) => {
    expect(sameAnswer('2i', hostile)).toBe(false)
    expect(sameAnswer(tex`\lfloor 2.5 \rfloor`, '2')).toBe(true)
  })

  it('spends its time once for an answer of many parts', () => {
    const parts = Array.from({ length: 40 }, (_, i) => `(${i}+i)^{9^{9}}`).join(', ')
    expect(sameAnswer(Array.from({ length: 40 }, (_, i) => `${i}i`).join(', '), parts)).toBe(false)
  })
})

describe('in a process', () => {
  const folder = temporaryFolder()
  const run = async (code: string, ...args: string[]) => {
    const script = `const { loadSymbolic, sameAnswer } = await import('${EVALUATION}'); ${code}`
    const { stdout } = await promisify(execFile)(process.execPath, [...args, '--input-type=module', '-e', script])
    return stdout.trim()
  }

  it('is not used before it is loaded, and does not keep the process', async () => {
    const ask = String.raw`sameAnswer('\\lfloor 2.5 \\rfloor', '2')`
    expect(await run(`const a = ${ask}; await loadSymbolic(); console.log(a, ${ask})`)).toBe('false true')
  })

  it('ends while a thread is still at work', async () => {
    expect(await run(`await loadSymbolic(); console.log(sameAnswer('2i', '(1+i)^{9^{9}}'))`)).toBe('false')
  })

  it('is missing without complaint where the package is not installed', async () => {
    const hook = folder('hide.cjs')
    const code = `const Module = require('node:module')
const resolve = Module._resolveFilename
Module._resolveFilename = function (name, ...rest) {
  if (name.startsWith('@cortex-js/')) throw Object.assign(new Error('not there'), { code: 'MODULE_NOT_FOUND' })
  return resolve.call(this, name, ...rest)
}
`
    await writeFile(hook, code)
    const asked = `console.log(await loadSymbolic(), sameAnswer('(x+1)^2', 'x^2+2x+1'), sameAnswer('2i', '(1+i)^2'))`
    expect(await run(asked, '--require', hook)).toBe('null true false')
  })
})
