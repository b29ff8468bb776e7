/** The order of a run, without a model. */
import { describe, expect, it } from 'vitest'
import type { ResolvedMethod } from '../../lib/eval/methods/method.js'
import type { ScoredResponse } from '../../lib/eval/records.js'
import { respond } from '../../lib/eval/response.js'
import { type Cell, runSchedule, type Schedule } from '../../lib/eval/schedule.js'
import { readWindows } from '../../lib/eval/windows.js'
import type { ReasonResult } from '../../lib/index.js'
import { scripted } from './scripted.js'

const items = ['a', 'b'].map((id) => ({ id, question: `${id}?`, answer: '1' }))

/** Ten tokens for item a, twenty for b. */
function response({ item }: Cell, ended = 'self'): ScoredResponse {
  const usage = { promptTokens: 5, cachedTokens: 0, thinkingTokens: item.id === 'a' ? 10 : 20, hintTokens: 0 }
  return { ended, usage: { ...usage, answerTokens: 0 } } as ScoredResponse
}

async function run(windows: (string | number)[], more: Partial<Schedule> = {}): Promise<Cell[]> {
  const cells: Cell[] = []
  await runSchedule({
    items,
    samples: 1,
    windows: readWindows(windows),
    parallel: 1,
    signal: undefined,
    respond: async (cell) => {
      cells.push(cell)
      return response(cell)
    },
    room: () => expect.unreachable(),
    ...more,
  })
  return cells
}

const named = (cells: Cell[]) => cells.map(({ item, sample, window }) => `${item.id}${sample} ${window}`)

describe('runSchedule', () => {
  it('asks for the natural length first where a window is a share of it', async () => {
    const cells = await run(['50%', '3'])
    expect(named(cells)).toEqual(['a0 inf', 'a0 50%', 'a0 3', 'a0 inf', 'b0 inf', 'b0 50%', 'b0 3', 'b0 inf'])
    expect(cells.map(({ thinkingWindow }) => thinkingWindow)).toEqual([
      Infinity,
      5,
      3,
      Infinity,
      Infinity,
      10,
      3,
      Infinity,
    ])
    expect(cells.slice(0, 2).map(({ windows }) => windows)).toEqual([[Infinity], [5, 3, Infinity]])
  })

  it('asks for no natural length where none is needed', async () => {
    expect(named(await run([3, 'inf'], { samples: 2 }))).toEqual([
      ...['a0 3', 'a0 inf', 'a1 3', 'a1 inf'],
      ...['b0 3', 'b0 inf', 'b1 3', 'b1 inf'],
    ])
  })

  it('limits the shares of what filled the context to the room there is', async () => {
    const asked: number[] = []
    const respond = async (cell: Cell) => {
      asked.push(cell.thinkingWindow)
      return response(cell, 'length')
    }
    const room = async (promptTokens: number) => promptTokens + 2
    await run(['50%', '100%', 9], { respond, room, items: items.slice(0, 1) })
    expect(asked).toEqual([Infinity, 5, 7, 9, Infinity])
  })

  it('ends with its first failure, when all that runs has ended', async () => {
    let running = 0
    const respond = async (cell: Cell, signal: AbortSignal) => {
      running++
      try {
        if (cell.item.id === 'b') throw new Error('no b')
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        // Something else fails because of the end.
        throw new Error('ended')
      } finally {
        running--
      }
    }
    await expect(run([3], { respond, parallel: 2 })).rejects.toThrow('no b')
    expect(running).toBe(0)
  })

  it('ends with the reason of its signal', async () => {
    const abort = new AbortController()
    const asked: Cell[] = []
    const respond = async (cell: Cell) => {
      asked.push(cell)
      abort.abort(new Error('enough'))
      return response(cell)
    }
    await expect(run([3], { respond, signal: abort.signal })).rejects.toThrow('enough')
    expect(asked).toHaveLength(1)
    await expect(run([3], { respond, signal: abort.signal })).rejects.toThrow('enough')
    expect(asked).toHaveLength(1)
  })
})

it('a method may get the results of all windows from one request', async () => {
  const reasoner = scripted({ thoughts: ['1', '2', '3', '4', '5', '6'] })
  const trajectories = new Map<number, Promise<ReasonResult>>()
  const method: ResolvedMethod = {
    pinned: { hint: null, maxTokens: null },
    room: async () => 0,
    async ask(reasoner, { prompt, thinkingWindow, windows, seed }) {
      const longest = Math.max(...windows)
      const whole = trajectories.get(seed) ?? reasoner.reason(prompt, { thinkingWindow: longest, seed })
      trajectories.set(seed, whole)
      const { reasoning, ...result } = await whole
      return { ...result, reasoning, text: reasoning.slice(0, thinkingWindow) }
    },
  }
  const task = {
    name: 'one',
    items: () => expect.unreachable(),
    prompt: () => ({ messages: [{ role: 'user', content: '?' }] }),
    grade: () => ({ correct: false, extracted: null }),
  }
  const texts: string[] = []
  await run([1, 4, 2], {
    respond: async (cell, signal) => {
      const options = { task, method, system: undefined, temperature: 0, seed: 0, speculation: false }
      const record = await respond(reasoner, options, cell, signal)
      texts.push(record.text)
      return record
    },
  })
  expect(texts).toEqual(['1', '1234', '12', '1', '1234', '12'])
  expect(reasoner.asked.map(({ options }) => options.thinkingWindow)).toEqual([4, 4])
})
