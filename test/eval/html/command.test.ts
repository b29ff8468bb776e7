/** `z1 eval report` as its users run it: the built command in a process of its own. */
import { existsSync, readFileSync } from 'node:fs'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, it } from 'vitest'
import { run } from '../../lifecycle/process.js'
import { temporaryFolder } from '../../support/folder.js'
import { writeRun } from './runs.js'

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()

beforeAll(() => {
  writeRun(folder('one'), [{ id: '1', window: '4', reasoning: 'the reasoning' }])
  writeRun(folder('two'), [{ id: '1', window: '4', reasoning: 'the reasoning' }])
  writeRun(folder('other'), [{ id: '1', window: '4', reasoning: '' }], { task: 'other' })
})

function report(...args: string[]) {
  return run([execPath, program, 'eval', 'report', ...args])
}

it('writes the page, and the curve', async () => {
  const [page, svg] = [folder('page.html'), folder('curve.svg')]
  const labels = ['--label', 'first', '--label', 'second', '--title', 'Both']
  const { code, stderr } = await report(folder('one'), folder('two'), ...labels, '--output', page, '--svg', svg)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const html = readFileSync(page, 'utf8')
  expect(html).toContain('<h1>Both</h1>')
  expect(html).toContain('the reasoning')
  // The build has copied what the page is made of.
  expect(html).toContain('class ItemTable')
  expect(readFileSync(svg, 'utf8')).toMatch(/^<svg [\s\S]*>first<[\s\S]*>second<[\s\S]*<\/svg>\n$/)
  expect(await report(folder('one'), '--no-texts', '--output', page)).toMatchObject({ code: 0 })
  expect(readFileSync(page, 'utf8')).not.toContain('the reasoning')
})

it.each<[string[], number, string]>([
  [['--output', 'OUT'], 2, 'the folders of runs'],
  [['one'], 2, '--output with a file'],
  [['one', '--label', 'a', '--label', 'b', '--output', 'OUT'], 2, 'one --label for each run'],
  [
    ['one', 'other', '--svg', 'OUT.svg', '--output', 'OUT'],
    2,
    'runs of one task for --svg but they are of hand, other',
  ],
  [['nowhere', '--output', 'OUT'], 1, 'nowhere holds no run'],
  [['one', '--output', 'one/results.jsonl'], 2, 'results.jsonl'],
])('%j is refused', async (args, code, sentence) => {
  const paths = args.map((arg) => (/^(OUT|one|other|nowhere)/.test(arg) ? folder(...arg.split('/')) : arg))
  const ended = await report(...paths)
  expect(ended).toMatchObject({ code })
  expect(ended.stderr).toContain(sentence)
  expect(existsSync(folder('OUT'))).toBe(false)
})
