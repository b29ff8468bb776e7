/** The page's filters, by themselves. */
import { beforeAll, describe, expect, it } from 'vitest'
import { readReport } from '../../../lib/eval/html/data.js'
import { temporaryFolder } from '../../support/folder.js'
import { writeRun } from './runs.js'

// The types of the page's files are checked apart from these.
const { rowsOf, NO_FILTER, cellsOf } = await import(
  new URL('../../../lib/eval/html/browser/filter.js', import.meta.url).href
)
const folder = temporaryFolder()
const hint = ' So: '
let data: Awaited<ReturnType<typeof readReport>>['data']

beforeAll(async () => {
  writeRun(folder('a'), [
    { id: '1', window: '4', reasoning: 'Apples', hint },
    { id: '1', window: 'inf', reasoning: 'Apples (green)', correct: true },
    { id: '2', window: '4', reasoning: 'Pears', hint, correct: true, groups: { family: 'fruit' } },
    { id: '2', window: 'inf', reasoning: 'Pears', extracted: null },
  ])
  writeRun(folder('b'), [{ id: '3', window: '4', reasoning: 'Plums', ended: 'loop' }], { task: 'other' })
  data = (await readReport([folder('a'), folder('b')], undefined, true)).data
})

function shown(filter: object): string[] {
  const rows: { item: number; matches: number[] }[] = rowsOf(data, { ...NO_FILTER, ...filter })
  return rows.map(({ item, matches }) => {
    return `${data.items[item]?.id}: ${matches.map((index) => data.responses[index]?.window).join(' ')}`
  })
}

describe('rowsOf', () => {
  it.each<[object, string[]]>([
    [{}, ['1: 4 inf', '2: 4 inf', '3: 4']],
    [{ task: 'other' }, ['3: 4']],
    [{ run: '0' }, ['1: 4 inf', '2: 4 inf']],
    [{ window: 'inf' }, ['1: inf', '2: inf']],
    [{ verdict: 'right' }, ['1: inf', '2: 4']],
    [{ verdict: 'wrong' }, ['1: 4', '2: inf', '3: 4']],
    [{ verdict: 'unanswered' }, ['2: inf']],
    [{ ended: 'loop' }, ['3: 4']],
    [{ larger: 'lost' }, ['1: 4']],
    [{ larger: 'spoiled' }, ['2: 4']],
    [{ search: 'apples' }, ['1: 4 inf']],
    [{ search: '(GREEN)' }, ['1: inf']],
    [{ search: 'what is 2' }, ['2: 4 inf']],
    [{ search: 'family: fruit', verdict: 'right' }, ['2: 4']],
    [{ search: '.' }, []],
    [{ search: '  ' }, ['1: 4 inf', '2: 4 inf', '3: 4']],
  ])('%j', (filter, expected) => {
    expect(shown(filter)).toEqual(expected)
  })
})

it('cellsOf puts samples side by side', () => {
  const response = (sample: number, window: string) => ({ run: 0, item: 0, window, sample })
  const cells = cellsOf({ items: [{}], responses: [response(1, '4'), response(0, 'inf'), response(0, '4')] })
  expect(cells).toEqual([
    new Map([
      ['0 4', [2, 0]],
      ['0 inf', [1]],
    ]),
  ])
})
