import { describe, expect, it } from 'vitest'
import { outcomeOf, type Part, PartReader } from '../../lib/protocol/outcome.js'
import { eventsOf, resultOf, type Said } from './results.js'

const boxed = ['It is ', '5.\n\n', 'So \\boxed{5}']

const cases: [string, Said, { reasoning: string; text: string; answerRepeats: boolean }][] = [
  [
    'a cut: the continuation is the text, and the hint is neither',
    { thoughts: ['a', 'b'], hint: ' So: ', answer: ['4', '2'] },
    { reasoning: 'ab', text: '42', answerRepeats: false },
  ],
  ['a window of 0', { hint: ' So: ', answer: ['42'] }, { reasoning: '', text: '42', answerRepeats: false }],
  [
    'a response that ended by itself: all is reasoning, its answer is told again',
    { thoughts: boxed },
    { reasoning: boxed.join(''), text: 'So \\boxed{5}', answerRepeats: true },
  ],
  [
    'one that states no answer',
    { thoughts: [' hm ', 'so '] },
    { reasoning: ' hm so ', text: 'hm so', answerRepeats: true },
  ],
  ['an ordinary chat model: text only', { answer: ['4', '2'] }, { reasoning: '', text: '42', answerRepeats: false }],
  [
    'a hint that nothing follows',
    { thoughts: boxed, hint: ' So: ' },
    { reasoning: boxed.join(''), text: 'So \\boxed{5}', answerRepeats: true },
  ],
  [
    'a hint that blanks follow',
    { thoughts: boxed, hint: ' So: ', answer: ['\n', ' '] },
    { reasoning: boxed.join(''), text: '\n So \\boxed{5}', answerRepeats: true },
  ],
  ['nothing at all', {}, { reasoning: '', text: '', answerRepeats: false }],
]

describe.each(cases)('%s', (_, said, { reasoning, text, answerRepeats }) => {
  it('whole', () => {
    const outcome = outcomeOf(resultOf(said))
    expect(outcome).toMatchObject({ reasoning, text })
    expect(outcome.metadata).toEqual({
      ended: said.hint === undefined ? 'self' : 'window',
      hint: said.hint ?? '',
      thinkingTokens: said.thoughts?.length ?? 0,
      hintTokens: said.hint?.length ?? 0,
      seed: 7,
      answerRepeats,
    })
  })

  it('in parts, which are the whole', () => {
    const reader = new PartReader()
    const parts = eventsOf(said).flatMap((event) => reader.take(event))
    const concatenated = (type: Part['type']) =>
      parts.map((part) => (part.type === type && 'text' in part ? part.text : '')).join('')
    expect(concatenated('reasoning')).toBe(reasoning)
    expect(concatenated('text')).toBe(text)
    expect(parts.filter(({ type }) => type === 'cut')).toHaveLength(said.hint === undefined ? 0 : 1)
    expect(parts.at(-1)).toMatchObject({ type: 'end', outcome: outcomeOf(resultOf(said)) })
    expect(parts.some((part) => part.type === 'text' && part.repeats)).toBe(answerRepeats)
    expect(parts.every((part) => !('text' in part) || part.text !== '')).toBe(true)
  })
})
