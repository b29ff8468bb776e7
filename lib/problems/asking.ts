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
    'My friend asks: ',
    'OK, ',
    'I want to know: ',
    'Now this: ',
    'Please answer this: ',
    'Exercise: ',
    'Here is my question. ',
    'Let me ask you something. ',
    'One more: ',
    'Find out: ',
    'Q: ',
    '1. ',
    'Good evening! ',
    'Work this out: ',
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
    ' What is the answer?',
    ' Please be quick.',
    ' I am not sure about it.',
    ' Show each step.',
    ' Only the result, please.',
    ' Do it carefully.',
    ' My teacher wants to know.',
    ' Answer in a box.',
    ' It is urgent.',
    ' Let me see how you do it.',
  ],
  unseen: [
    ' Thank you in advance.',
    ' Write down how you got there.',
    ' No explanation, please.',
    ' Work it out slowly.',
  ],
}

/** What is asked for, in sentences that fit any of it. */
const FRAMES = [
  (thing: string) => `What is ${thing}?`,
  (thing: string) => `What's ${thing}?`,
  (thing: string) => `Find ${thing}.`,
  (thing: string) => `Compute ${thing}.`,
  (thing: string) => `Calculate ${thing}.`,
  (thing: string) => `Determine ${thing}.`,
  (thing: string) => `Tell me ${thing}.`,
  (thing: string) => `I need to know ${thing}.`,
  (thing: string) => `I want ${thing}.`,
  (thing: string) => `Can you find ${thing}?`,
  (thing: string) => `Could you tell me ${thing}?`,
  (thing: string) => `Please give me ${thing}.`,
  (thing: string) => `Say what ${thing} is.`,
  (thing: string) => `${thing.charAt(0).toUpperCase()}${thing.slice(1)}?`,
  (thing: string) => `Your task is to find ${thing}.`,
  (thing: string) => `We are looking for ${thing}.`,
]

/** As {@link FRAMES}, for what is true or not. */
const FRAMES_OF_CLAIMS = [
  (claim: string) => `Tell me if ${claim}.`,
  (claim: string) => `Check whether ${claim}.`,
  (claim: string) => `Decide whether ${claim}.`,
  (claim: string) => `I want to know whether ${claim}.`,
  (claim: string) => `Can you check if ${claim}?`,
  (claim: string) => `Say yes or no: ${claim}.`,
  (claim: string) => `Is it true that ${claim}?`,
  (claim: string) => `True or not: ${claim}? Answer yes or no.`,
]

/** How often a question is one of these sentences instead of a wording of its kind. */
const FRAMED = 0.35

export class Asking {
  readonly #random: Random
  readonly #wordings: Wordings

  constructor(random: Random, wordings: Wordings) {
    this.#random = random
    this.#wordings = wordings
  }

  /**
   * One of the wordings of a kind of problem.
   *
   * @param things what is asked for, as a noun: training data has it in many sentences.
   * @param claims what is asked for, as a sentence that is true or not.
   */
  of(
    seen: readonly string[],
    unseen: readonly string[],
    { things = [], claims = [] }: { things?: readonly string[]; claims?: readonly string[] } = {},
  ): string {
    const random = this.#random
    if (this.#wordings === 'unseen') return random.pick(unseen)
    if (things.length + claims.length === 0 || !random.chance(FRAMED)) return random.pick(seen)
    return things.length > 0
      ? random.pick(FRAMES)(random.pick(things))
      : random.pick(FRAMES_OF_CLAIMS)(random.pick(claims))
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
