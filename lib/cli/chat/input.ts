/** Lines as inputs: one that ends in a backslash goes on in the next, and a slash begins a command. */

export class InputLines {
  #lines: string[] = []

  /** Whether an input has begun that the next line goes on with. */
  get isOpen(): boolean {
    return this.#lines.length > 0
  }

  /** Gives the input that the line completes, or null. */
  add(line: string): string | null {
    if (line.endsWith('\\')) {
      this.#lines.push(line.slice(0, -1))
      return null
    }
    const input = [...this.#lines, line].join('\n')
    this.#lines = []
    return input
  }

  /** What has begun, at the end of all lines; null: nothing. */
  end(): string | null {
    const input = this.isOpen ? this.#lines.join('\n') : null
    this.#lines = []
    return input
  }
}

export type Input = { question: string } | { command: string; argument: string }

/** Null for an input without content. Two slashes are a question that begins with one. */
export function parseInput(input: string): Input | null {
  if (input.trim() === '') return null
  if (!input.startsWith('/')) return { question: input }
  if (input.startsWith('//')) return { question: input.slice(1) }
  const [, command = '', argument = ''] = /^\/(\S*)\s*([\s\S]*)$/.exec(input) ?? []
  return { command, argument: argument.trimEnd() }
}
