/**
 * A Python program that is written and run at the same time, line by line. Knows the few forms that `programs.ts` writes,
 * and gives the source, the lines of the run, and what was printed.
 */

type Value = number | number[] | string

export class Program {
  /** What each variable holds, the one that was given its value last at the end. */
  readonly values = new Map<string, Value>()
  #printed = ''
  #largest = 0
  #smallest = 0
  readonly #source: string[] = []
  readonly #run: string[] = []
  readonly #functions = new Map<string, { line: number; parameter: string; body: string }>()

  get source(): string {
    return this.#source.join('\n')
  }

  /** The numbered source, then one line for each line that ran. */
  get steps(): string[] {
    return [...this.#source.map((line, i) => `${i + 1}: ${line}`), 'Run', ...this.#run]
  }

  get printed(): string {
    return this.#printed
  }

  get names(): string[] {
    return [...this.values.keys()]
  }

  /** The largest and the smallest number that a variable has held. */
  get largest(): number {
    return this.#largest
  }

  get smallest(): number {
    return this.#smallest
  }

  /** Whether the program has this line already, at whatever indentation. */
  has(line: string): boolean {
    return this.#source.some((other) => other.trim() === line)
  }

  /** The value of a variable or a literal that is a number. */
  number(text: string): number {
    const value = this.values.get(text) ?? Number(text)
    if (typeof value !== 'number' || Number.isNaN(value)) throw new TypeError(`Expected a number for ${text}`)
    return value
  }

  /** `name = …` */
  assign(line: string): void {
    this.#runAssignment(this.#write(line), line)
  }

  /** `name.append(…)`, `name.pop()`, `name[…] = …` */
  change(line: string): void {
    const number = this.#write(line)
    const [, name, method, argument, index, item] = CHANGE.exec(line) as RegExpExecArray
    const items = [...(this.values.get(name as string) as number[])]
    if (method === 'append') items.push(Number(argument))
    else if (method === 'pop') items.pop()
    else items[Number(index)] = Number(item)
    this.#set(name as string, items)
    this.#run.push(`${number}: ${line}; ${this.#state}`)
  }

  /** `if test:` with a line in it, and a line in its `else:` if there is one. */
  branch(test: string, then: string, otherwise: string | null): void {
    const number = this.#write(`if ${test}:`)
    const inThen = this.#write(`    ${then}`)
    if (otherwise) this.#write('else:')
    const inElse = otherwise ? this.#write(`    ${otherwise}`) : 0
    if (this.#test(number, test)) this.#runAssignment(inThen, then)
    else if (otherwise) this.#runAssignment(inElse, otherwise)
  }

  forRange(name: string, rounds: number, body: string[]): void {
    const number = this.#write(`for ${name} in range(${rounds}):`)
    const lines = body.map((line) => this.#write(`    ${line}`))
    for (let i = 0; i < rounds; i++) {
      this.#set(name, i)
      this.#run.push(`${number}: ${name} = ${i}, ${i} < ${rounds} yes; ${this.#state}`)
      for (const [at, line] of body.entries()) this.#runAssignment(lines[at] as number, line)
    }
    this.#run.push(`${number}: ${name} = ${rounds}, ${rounds} < ${rounds} no`)
  }

  while(test: string, body: string): void {
    const number = this.#write(`while ${test}:`)
    const line = this.#write(`    ${body}`)
    while (this.#test(number, test)) this.#runAssignment(line, body)
  }

  define(name: string, parameter: string, body: string): void {
    this.#write(`def ${name}(${parameter}):`)
    this.#functions.set(name, { line: this.#write(`    return ${body}`), parameter, body })
  }

  /** `target = name(argument)` */
  call(target: string, name: string, argument: string): void {
    const line = `${target} = ${name}(${argument})`
    const number = this.#write(line)
    const {
      line: inside,
      parameter,
      body,
    } = this.#functions.get(name) as { line: number; parameter: string; body: string }
    const given = this.number(argument)
    this.#run.push(`${number}: ${line}, ${parameter}=${given}`)
    const forms = reduce(body.replaceAll(parameter, String(given)))
    const value = Number(forms.at(-1))
    this.#run.push(`${inside}: return ${[body, ...forms].join(' = ')}`)
    this.#set(target, value)
    this.#run.push(`${number}: ${target} = ${value}; ${this.#state}`)
  }

  /** `print(…)` of a number, a string or a list; the program's last line. */
  print(expression: string): void {
    const number = this.#write(`print(${expression})`)
    const forms = this.#evaluate(expression)
    this.#printed = (forms.at(-1) as string).replaceAll('"', '')
    this.#run.push(`${number}: print ${[expression, ...forms].join(' = ')}`)
  }

  #write(line: string): number {
    return this.#source.push(line)
  }

  #set(name: string, value: Value): void {
    this.values.delete(name)
    this.values.set(name, value)
    if (typeof value !== 'number') return
    this.#largest = Math.max(this.#largest, value)
    this.#smallest = Math.min(this.#smallest, value)
  }

  /** The variable that has just changed first: a small model loses the place of one that stands among the others. */
  get #state(): string {
    return [...this.values]
      .reverse()
      .map(([name, value]) => `${name}=${show(value)}`)
      .join(' ')
  }

  #runAssignment(number: number, line: string): void {
    const [name, expression] = line.split(' = ') as [string, string]
    const forms = this.#evaluate(expression)
    const text = forms.at(-1) as string
    this.#set(name, JSON.parse(text))
    this.#run.push(`${number}: ${[line, ...forms.filter((form) => form !== expression)].join(' = ')}; ${this.#state}`)
  }

  #test(number: number, test: string): boolean {
    const [left, operator, right] = test.split(' ') as [string, string, string]
    const [a, b] = [this.number(left), this.number(right)]
    const result = operator === '<' ? a < b : operator === '>' ? a > b : a === b
    this.#run.push(`${number}: ${test}, ${a} ${operator} ${b} ${result ? 'yes' : 'no'}`)
    return result
  }

  /** The forms that an expression takes on the way to its value; the last is the value. */
  #evaluate(expression: string): string[] {
    const [, wrapper, argument] = /^(len|sum|max)\((\w+)\)$/.exec(expression) ?? []
    const [, indexed, index] = /^(\w+)\[(\d+)\]$/.exec(expression) ?? []
    if (indexed) {
      const items = [...(this.values.get(indexed) as number[] | string)].slice(0, Number(index) + 1)
      return [items.map((item, i) => `${i}:${item}`).join(' '), JSON.stringify(items.at(-1))]
    }
    if (wrapper) {
      const items = [...(this.values.get(argument as string) as number[] | string)]
      if (wrapper === 'len') return [items.map((item, i) => `${i + 1}:${item}`).join(' '), String(items.length)]
      if (wrapper === 'max') return [show(items as number[]), String(Math.max(...(items as number[])))]
      return reduce(items.join(' + '))
    }
    const value = this.values.get(expression)
    if (value !== undefined) return [show(value)]
    if (/["\][.]|\* 2$/.test(expression)) {
      const made = this.#string(expression)
      if (made !== null) return [show(made)]
    }
    if (/^["[]/.test(expression)) return [expression]
    return reduce(expression.replace(/[a-z]\w*/g, (name) => String(this.number(name))))
  }

  #string(expression: string): string | null {
    const name = /\b[a-z]\b(?!")/.exec(expression.replace(/"[^"]*"/g, (literal) => '_'.repeat(literal.length)))?.[0]
    const value = name && this.values.get(name)
    if (typeof value !== 'string') return null
    const literal = /"([^"]*)"/.exec(expression)?.[1]
    if (expression.endsWith('[::-1]')) return [...value].reverse().join('')
    if (expression.endsWith('[1:]')) return value.slice(1)
    if (expression.endsWith('.upper()')) return value.toUpperCase()
    if (expression.endsWith(' * 2')) return value + value
    if (literal === undefined) return null
    return expression.startsWith('"') ? literal + value : value + literal
  }
}

const CHANGE = /^(\w+)(?:\.(append|pop)\((\d*)\)|\[(\d+)\] = (\d+))$/

function show(value: Value): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : typeof value === 'string' ? `"${value}"` : String(value)
}

/** `3 * 2 + 1` → `3 * 2 + 1`, `6 + 1`, `7`: from the left, which is right for what programs.ts writes. */
function reduce(expression: string): string[] {
  const forms = [expression]
  let words = expression.split(' ')
  while (words.length > 1) {
    const [left, operator, right, ...rest] = words as [string, string, string]
    const [a, b] = [Number(left), Number(right)]
    const value = calculate(a, operator, b)
    words = [String(value), ...rest]
    forms.push(words.join(' '))
  }
  return forms
}

/** What Python gives for integers from 0 up. */
export function calculate(a: number, operator: string, b: number): number {
  switch (operator) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '//':
      return Math.floor(a / b)
    case '%':
      return a % b
  }
  throw new RangeError(`Expected an operator but received ${operator}`)
}
