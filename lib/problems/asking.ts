/** How a question is put: one of the wordings of its kind, with what people write before and after it. */
import type { Random } from '../base/random.js'

/** Wordings that training data has, and others that it never has. */
export type Wordings = 'seen' | 'unseen'

const BEFORE = {
  seen: [
    'Please tell me: ',
    'Question: ',
    'Hi! ',
    'Hello, ',
    'Can you help me? ',
    'I need your help. ',
    'Quick question: ',
    'Problem: ',
    'Solve this: ',
    'Here is a task. ',
    'A question from my homework: ',
    'So, ',
    'Try this one. ',
    'Answer the following question. ',
    'Task: ',
    'Please help: ',
  ],
  unseen: ['Hey there, ', 'Exercise 3. ', 'I was wondering: ', 'Next one: ', 'Could you do this for me? '],
}

const AFTER = {
  seen: [
    ' Give only the answer.',
    ' Think step by step.',
    ' Explain your steps.',
    ' Thanks!',
    ' Please show your work.',
    ' Put the final answer in a box.',
    ' Reply briefly.',
    ' Please reason step by step, and put your final answer within \\boxed{}.',
    ' Take your time.',
    ' I need the exact answer.',
    ' Tell me the result only.',
    ' Be careful.',
  ],
  unseen: [
    ' Thank you in advance.',
    ' Write down how you got there.',
    ' No explanation, please.',
    ' Work it out slowly.',
  ],
}

export class Asking {
  readonly #random: Random
  readonly #wordings: Wordings

  constructor(random: Random, wordings: Wordings) {
    this.#random = random
    this.#wordings = wordings
  }

  /** One of the wordings of a kind of problem. */
  of(seen: readonly string[], unseen: readonly string[]): string {
    return this.#random.pick(this.#wordings === 'seen' ? seen : unseen)
  }

  /**
   * The question as some people type it: with a greeting or a wish, without its last sign, with a small first letter. Of
   * several lines only what is no code gets something before or after it.
   */
  typed(question: string): string {
    const random = this.#random
    const isOneLine = !question.includes('\n')
    const before =
      random.chance(0.15) && (isOneLine || /^[A-Z]/.test(question)) ? random.pick(BEFORE[this.#wordings]) : ''
    const after = random.chance(0.15) && (isOneLine || /[.?]$/.test(question)) ? random.pick(AFTER[this.#wordings]) : ''
    if (!isOneLine) return before + question + after
    const open = after === '' && random.chance(0.1) ? question.replace(/[.?]$/, '') : question
    return before + (random.chance(0.1) ? open.charAt(0).toLowerCase() + open.slice(1) : open) + after
  }
}
