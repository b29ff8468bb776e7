/**
 * What one rendering may use. Templates come with models from strangers: every step, every character that is made and
 * every level of nesting is counted, so that none of them can hold the event loop or the memory of the process.
 */

/** A template that cannot be parsed or rendered, with the line of its source where that shows. */
export class TemplateError extends Error {
  static {
    TemplateError.prototype.name = 'TemplateError'
  }

  constructor(
    message: string,
    /** From 1; undefined where no line is to blame. */
    readonly line?: number,
  ) {
    super(message)
  }
}

/** Characters of a template's source. Those of published models have under 60,000. */
export const MAX_SOURCE = 500_000

/** Levels of nesting in a source, and of blocks, expressions and macros that run inside each other. */
export const MAX_DEPTH = 500

/** Steps of a rendering without input: expressions, statements, elements of sequences. Published templates take 4,000. */
const BASE_STEPS = 200_000

/** However long the conversation: about half a second. Templates that go through all messages for each take it with 1,000. */
const MAX_STEPS = 5_000_000

/** Characters that a rendering without input may make, intermediate texts included. */
const BASE_CHARACTERS = 64 * 1024 * 1024

export interface InputSize {
  /** Values: messages, their fields, elements of lists. */
  values: number
  characters: number
}

export class Budget {
  readonly #maxSteps: number
  readonly #maxCharacters: number
  #steps = 0
  #characters = 0
  #depth = 0

  /** @param input Long conversations may take more steps, long texts more characters. */
  constructor({ values, characters }: InputSize) {
    this.#maxSteps = Math.min(BASE_STEPS + 1000 * values + characters, MAX_STEPS)
    this.#maxCharacters = BASE_CHARACTERS + 64 * characters
  }

  /** Before something is done `count` times. */
  steps(count: number): void {
    this.#steps += count
    if (this.#steps > this.#maxSteps) {
      throw new TemplateError(`it takes more than ${this.#maxSteps} steps`)
    }
  }

  /** Before a text of so many characters is made. */
  characters(count: number): void {
    this.#characters += count
    if (!(this.#characters <= this.#maxCharacters)) {
      throw new TemplateError(`it makes more than ${this.#maxCharacters} characters of text`)
    }
  }

  /** Before so many characters are looked at: far cheaper than making them. */
  scan(count: number): void {
    this.characters(count / 8)
  }

  nested<T>(action: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw tooDeep()
    try {
      return action()
    } finally {
      this.#depth--
    }
  }
}

export function tooDeep(): TemplateError {
  return new TemplateError(`it nests more than ${MAX_DEPTH} levels deep`)
}
