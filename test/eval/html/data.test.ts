/** What a report reads of folders, against counts by hand. */
import { appendFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { readReport } from '../../../lib/eval/html/data.js'
import { temporaryFolder } from '../../support/folder.js'
import { record, writeRun } from './runs.js'

const folder = temporaryFolder()
const hint = ' So: '

/** By id and window. */
function marks({ data }: Awaited<ReturnType<typeof readReport>>, mark: 'lost' | 'spoiled'): string[] {
  return data.responses
    .filter((response) => response[mark])
    .map(({ run, item, window, sample }) => `${run} ${data.items[item]?.id} ${window} ${sample}`)
}

beforeAll(() => {
  writeRun(folder('a'), [
    { id: 'i10', window: '4', reasoning: 'x', hint },
    { id: 'i10', window: 'inf', reasoning: 'x y', correct: true },
    { id: 'i10', window: '16', reasoning: 'x y', hint, correct: true },
    { id: 'i2', window: '4', reasoning: 'z', hint, correct: true },
    { id: 'i2', window: '16', reasoning: 'z', hint },
    { id: 'i2', window: 'inf', reasoning: 'z z', extracted: null },
  ])
})

describe('readReport', () => {
  it('sets each response against those of larger windows', async () => {
    const report = await readReport([folder('a')], undefined, true)
    expect(marks(report, 'lost')).toEqual(['0 i10 4 0'])
    expect(marks(report, 'spoiled')).toEqual(['0 i2 4 0'])
    expect(report.data.items.map(({ id }) => id)).toEqual(['i2', 'i10'])
    expect(report.runs[0]?.windows).toEqual(['4', '16', 'inf'])
    expect(report.data.responses.filter(({ unanswered }) => unanswered)).toMatchObject([
      { window: 'inf', extracted: null },
    ])
  })

  it('keeps runs and samples apart', async () => {
    writeRun(folder('b'), [{ id: 'i10', window: '4', reasoning: 'x', hint, correct: true }])
    writeRun(
      folder('samples'),
      [0, 1].flatMap((sample) => [
        { id: 's', sample, window: '50%', thinkingWindow: 9, reasoning: 'x', hint },
        { id: 's', sample, window: 'inf', reasoning: 'x', correct: sample === 1 },
      ]),
      { samples: 2 },
    )
    const report = await readReport([folder('b'), folder('a'), folder('samples')], undefined, true)
    expect(marks(report, 'lost')).toEqual(['1 i10 4 0', '2 s 50% 1'])
    // The same question of two runs is one item.
    expect(report.data.items.map(({ id }) => id)).toEqual(['i2', 'i10', 's'])
  })

  it('tells items of the same name apart by their questions', async () => {
    writeRun(folder('other'), [{ id: 'i2', window: '4', reasoning: 'x', question: 'Another one?' }])
    const { data } = await readReport([folder('a'), folder('other')], undefined, true)
    expect(data.items.map(({ question }) => question)).toEqual(['What is i2?', 'Another one?', 'What is i10?'])
  })

  it('holds what stands before questions once', async () => {
    const system = { role: 'system' as const, content: 'Be brief.' }
    const asked = (id: string) => ({ prompt: [system, { role: 'user' as const, content: `${id}?` }] })
    writeRun(folder('system'), [
      { id: '1', window: '4', reasoning: '', ...asked('1') },
      { id: '2', window: '4', reasoning: '', ...asked('2') },
      { id: '3', window: '4', reasoning: '' },
    ])
    const { data } = await readReport([folder('system')], undefined, true)
    expect(data.contexts).toEqual([[system], []])
    expect(data.responses.map(({ context }) => context)).toEqual([0, 0, 1])
    expect(data.items.map(({ question }) => question)).toEqual(['1?', '2?', 'What is 3?'])
  })

  it('names runs by their folders, or their paths where these are the same', async () => {
    writeRun(folder('sub', 'a'), [{ id: 'i', window: '4', reasoning: '' }])
    const labels = async (...directories: string[]) => {
      return (await readReport(directories, undefined, true)).runs.map(({ label }) => label)
    }
    expect(await labels(folder('a'), folder('b'))).toEqual(['a', 'b'])
    expect(await labels(folder('a'), folder('sub', 'a'))).toEqual([folder('a'), folder('sub', 'a')])
    expect((await readReport([folder('a')], ['A'], true)).runs[0]?.label).toBe('A')
  })

  it('leaves texts out, and answers that are texts', async () => {
    const long = `${'because '.repeat(10)}7`
    const system = { role: 'system' as const, content: 'secret system' }
    const prompt = [system, { role: 'user' as const, content: 'secret question' }]
    writeRun(folder('private'), [
      { id: '1', window: '4', reasoning: 'secret', hint, after: 'secret', prompt, extracted: long, answer: '7' },
      { id: '2', window: '4', reasoning: 'secret', prompt, answer: long },
    ])
    const { data } = await readReport([folder('private')], undefined, false)
    expect(JSON.stringify(data)).not.toMatch(/secret|because/)
    expect(data.items).toMatchObject([
      { id: '1', question: null, answer: '7' },
      { id: '2', question: null, answer: null },
    ])
    expect(data.responses).toMatchObject([
      { text: null, extracted: null, unanswered: false },
      { text: null, extracted: '8' },
    ])
  })

  it('reads runs that are not finished, but not empty ones', async () => {
    writeRun(folder('part'), [{ id: '1', window: '4', reasoning: '' }], { items: 3 })
    expect((await readReport([folder('part')], undefined, true)).runs[0]?.summary).toMatchObject({ done: 1, total: 3 })
    writeRun(folder('empty'), [])
    await expect(readReport([folder('empty')], undefined, true)).rejects.toThrow('has no responses yet')
    await expect(readReport([folder('nothing')], undefined, true)).rejects.toThrow('holds no run')
  })

  it.each([
    { text: 3 },
    { prompt: 'text' },
    { prompt: [null] },
    { prompt: [{ role: 'user', content: [] }] },
    { answer: null },
  ])('refuses what is no result: %j', async (wrong) => {
    writeRun(folder('wrong'), [{ id: '1', window: '4', reasoning: '' }])
    const bad = { ...record({ id: '2', window: '4', reasoning: '' }), ...wrong }
    appendFileSync(folder('wrong', 'results.jsonl'), `${JSON.stringify(bad)}\n`)
    await expect(readReport([folder('wrong')], undefined, true)).rejects.toThrow('results.jsonl:2: Expected a result')
  })

  it('refuses more text than a page can hold', async () => {
    const text = 'x'.repeat(2 ** 26)
    const given = ['1', '2', '3'].map((id) => ({ id, window: '4', reasoning: text }))
    writeRun(folder('huge'), given)
    await expect(readReport([folder('huge')], undefined, true)).rejects.toThrow('more than 134217728 characters')
    expect((await readReport([folder('huge')], undefined, false)).data.responses).toHaveLength(3)
  })
})
