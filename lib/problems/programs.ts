/**
 * What a small Python program prints. The trajectory numbers the program's lines, then runs them one after another, each
 * with its number, its text, the values put in, and what every variable holds after it.
 */

import type { Random } from '../base/random.js'
import type { Asking } from './asking.js'
import { at, type Maker, type Problem } from './problem.js'
import { calculate, Program } from './program.js'

export const programs: Maker = (random, difficulty, asking) => {
  const make = random.weighted([
    [5, straight],
    [6, conditional],
    [4, loop],
    [2, whileLoop],
    [3, list],
    [3, text],
    [4, fun],
  ])
  return make(random, difficulty, asking)
}

const NAMES = [...'abcdkmnpqrtuvwxyz']
/** Larger values would make a step of arithmetic that is itself in need of steps. */
const LARGEST = 99

function problem(random: Random, program: Program, asking: Asking): Problem {
  const source = program.source
  const fenced = `\`\`\`python\n${source}\n\`\`\``
  const code = random.chance(0.3) ? fenced : source
  return {
    key: `program ${renamed(source)}`,
    question: asking.of(
      [
        `What does this print?\n${code}`,
        `What does this program print?\n${code}`,
        `What is the output of this program?\n${code}`,
        `What is the output of this code?\n${code}`,
        `${code}\nWhat does this print?`,
        `${code}\nWhat is the output?`,
        `What will this Python code print?\n${code}`,
        `What does this Python program print?\n${code}`,
        `Run this program. What does it print?\n${code}`,
        `Find the output:\n${code}`,
        `Here is a program:\n${code}\nWhat does it print?`,
      ],
      [`Which text does this code print?\n${code}`, `Trace this program and give its output.\n${code}`],
    ),
    steps: program.steps,
    answer: program.printed,
    program: source,
  }
}

/** The source with its names in the order in which they come: a, b, … */
function renamed(source: string): string {
  const names = new Map<string, string>()
  return source.replace(/"[^"]*"|\b[a-z]\b/g, (found) => {
    if (found.startsWith('"')) return found
    if (!names.has(found)) names.set(found, `v${names.size}`)
    return names.get(found) as string
  })
}

/** `left operator right` with a value from 0 to 99, and its Python text; a variable is on the left. */
function expression(random: Random, program: Program, left: string): string {
  const a = program.number(left)
  for (;;) {
    const operator = random.weighted([
      [5, '+'],
      [4, '-'],
      [3, '*'],
      [1, '//'],
      [1, '%'],
    ])
    const others = program.names.filter((name) => name !== left && typeof program.values.get(name) === 'number')
    const right =
      operator === '*'
        ? String(random.int(2, 4))
        : operator === '//' || operator === '%'
          ? String(random.pick([2, 2, 5, 10]))
          : others.length > 0 && random.chance(0.4)
            ? random.pick(others)
            : String(random.int(1, 9))
    const value = calculate(a, operator, program.number(right))
    if (value >= 0 && value <= LARGEST) return `${left} ${operator} ${right}`
  }
}

/** One more assignment: to a new variable while there are few, or to one that exists. */
function assign(random: Random, program: Program, names: string[]): void {
  const known = program.names
  for (;;) {
    const fresh = names.find((name) => !known.includes(name))
    const target = fresh && random.chance(0.5) ? fresh : random.pick(known)
    const line = `${target} = ${expression(random, program, random.pick(known))}`
    // Two equal lines would make it unclear which of them runs.
    if (program.has(line)) continue
    program.assign(line)
    return
  }
}

const straight: Maker = (random, difficulty, asking) => {
  const program = new Program()
  const names = random.sample(NAMES, at([1, 1, 1, 2, 2, 2, 2, 3], difficulty))
  program.assign(`${names[0]} = ${random.int(1, 12)}`)
  for (let i = 0; i < at([0, 0, 1, 1, 2, 2, 3, 3], difficulty); i++) assign(random, program, names)
  finish(random, program)
  return problem(random, program, asking)
}

/** Prints a variable, or an expression of one. */
function finish(random: Random, program: Program): void {
  const name = random.pick(program.names)
  program.print(random.chance(0.5) ? name : expression(random, program, name))
}

const conditional: Maker = (random, difficulty, asking) => {
  const program = new Program()
  const names = random.sample(NAMES, difficulty < 3 ? 1 : 2)
  program.assign(`${names[0]} = ${random.int(1, 20)}`)
  const branches = difficulty < 7 ? 1 : 2
  for (let i = 0; i < at([0, 0, 0, 1, 1, 2, 0, 1], difficulty); i++) assign(random, program, names)
  for (let i = 0; i < branches; i++) {
    const tested = random.pick(program.names)
    const value = program.number(tested)
    const limit = Math.max(0, value + random.pick([-4, -3, -2, -1, 0, 1, 2, 3, 4]))
    const target = random.pick(program.names)
    const operator = random.pick(['<', '>', '>', '<', '=='])
    const test = `${tested} ${operator} ${limit}`
    const then = `${target} = ${expression(random, program, target)}`
    const otherwise = random.chance(0.5) ? `${target} = ${expression(random, program, target)}` : null
    if (
      program.has(`if ${test}:`) ||
      program.has(then) ||
      (otherwise && program.has(otherwise)) ||
      then === otherwise
    ) {
      i--
      continue
    }
    program.branch(test, then, otherwise)
  }
  const name = random.pick(program.names)
  program.print(name)
  return problem(random, program, asking)
}

const loop: Maker = (random, difficulty, asking) => {
  const two = difficulty > 6 && random.chance(0.3)
  const rounds = two ? 2 : at([1, 1, 1, 2, 2, 3, 3, 4], difficulty)
  for (;;) {
    const program = new Program()
    const [x, y, i] = [...random.sample(NAMES, two ? 2 : 1), ...(two ? [] : ['']), random.pick(['i', 'j'])] as [
      string,
      string,
      string,
    ]
    program.assign(`${x} = ${random.int(0, 9)}`)
    if (two) program.assign(`${y} = ${random.int(1, 5)}`)
    const body = [
      random.pick([
        `${x} = ${x} + ${i}`,
        `${x} = ${x} + ${random.int(1, 9)}`,
        `${x} = ${x} + ${random.int(1, 9)}`,
        `${x} = ${x} * 2`,
      ]),
    ]
    if (two) body.push(`${y} = ${y} + ${x}`)
    program.forRange(i, rounds, body)
    if (program.largest > LARGEST) continue
    program.print(two ? random.pick([x, y]) : x)
    return problem(random, program, asking)
  }
}

const whileLoop: Maker = (random, difficulty, asking) => {
  const rounds = at([1, 1, 1, 2, 2, 3, 3, 4], difficulty)
  for (;;) {
    const program = new Program()
    const x = random.pick(NAMES)
    const first = random.int(1, 20)
    const body = random.pick([`${x} = ${x} + ${random.int(2, 9)}`, `${x} = ${x} * ${random.int(2, 3)}`])
    const values = [first]
    const last = () => values.at(-1) as number
    const by = Number(body.split(' ').at(-1))
    while (values.length <= rounds) values.push(body.includes('*') ? last() * by : last() + by)
    const limit = random.int((values.at(-2) as number) + 1, last())
    if (last() > LARGEST) continue
    program.assign(`${x} = ${first}`)
    program.while(`${x} < ${limit}`, body)
    program.print(x)
    return problem(random, program, asking)
  }
}

const list: Maker = (random, difficulty, asking) => {
  const program = new Program()
  const [a, x] = random.sample(NAMES, 2) as [string, string]
  const size = at([2, 2, 3, 3, 3, 4, 4, 4], difficulty)
  program.assign(`${a} = [${Array.from({ length: size }, () => random.int(1, 9)).join(', ')}]`)
  for (let i = 0; i < at([0, 0, 1, 1, 2, 2, 3, 4], difficulty); i++) {
    const items = program.values.get(a) as number[]
    const index = random.int(0, items.length - 1)
    const line = random.pick([
      ...(items.length < 6 ? [`${a}.append(${random.int(1, 9)})`] : []),
      ...(items.length > 2 ? [`${a}.pop()`] : []),
      `${a}[${index}] = ${random.int(1, 9)}`,
    ])
    if (program.has(line)) i--
    else program.change(line)
  }
  const items = program.values.get(a) as number[]
  if (difficulty > 2 && random.chance(0.3)) {
    program.assign(`${x} = ${a}[${random.int(0, items.length - 1)}]`)
    program.print(random.chance(0.5) ? x : expression(random, program, x))
  } else {
    program.print(random.pick([`sum(${a})`, `len(${a})`, `max(${a})`, `${a}[${random.int(0, items.length - 1)}]`, a]))
  }
  return problem(random, program, asking)
}

const SYLLABLES = ['ba', 'co', 'de', 'fi', 'go', 'hu', 'ka', 'lo', 'mi', 'ne', 'po', 'ru', 'sa', 'te', 'vu', 'wi']

const text: Maker = (random, difficulty, asking) => {
  const program = new Program()
  const s = random.pick(NAMES)
  const first = random.pick(SYLLABLES) + random.pick([...'bdgklmnprst'])
  program.assign(`${s} = "${first}"`)
  for (let i = 0; i < at([0, 0, 1, 1, 2, 3, 3, 4], difficulty); i++) {
    const value = program.values.get(s) as string
    const line = random.pick([
      ...(value.length < 8 ? [`${s} = ${s} + "${random.pick([...'abcdeghklmnoprstuvwxyz'])}"`] : []),
      ...(value.length < 8 ? [`${s} = "${random.pick([...'abcdeghklmnoprstuvwxyz'])}" + ${s}`] : []),
      `${s} = ${s}[::-1]`,
      ...(value.length > 3 ? [`${s} = ${s}[1:]`] : []),
      ...(value.length < 5 ? [`${s} = ${s} * 2`] : []),
    ])
    if (program.has(line)) i--
    else program.assign(line)
  }
  const value = program.values.get(s) as string
  program.print(
    random.pick([s, s, `len(${s})`, `${s}[${random.int(0, Math.min(4, value.length - 1))}]`, `${s}.upper()`]),
  )
  return problem(random, program, asking)
}

const fun: Maker = (random, difficulty, asking) => {
  for (;;) {
    const program = new Program()
    const [f, n] = [random.pick(['f', 'g', 'h']), random.pick(['n', 'x', 'a'])]
    const operations = random.pick([
      [`${n} + ${random.int(1, 9)}`],
      [`${n} * ${random.int(2, 4)}`],
      [`${n} * ${random.int(2, 4)} + ${random.int(1, 9)}`],
      [`${n} - ${random.int(1, 4)}`],
    ])[0] as string
    program.define(f, n, operations)
    const variables = random.sample(
      NAMES.filter((name) => name !== n),
      2,
    )
    program.assign(`${variables[0]} = ${random.int(4, 12)}`)
    let value: string = variables[0] as string
    // A variable may be given a new value from itself once only: two equal lines would make it unclear which of them runs.
    for (let i = 0; i < at([0, 0, 1, 1, 1, 1, 2, 2], difficulty); i++) {
      const target = random.pick(variables.filter((name) => !program.has(`${name} = ${f}(${value})`)))
      program.call(target, f, value)
      value = target
    }
    for (let i = 0; i < at([0, 0, 0, 0, 1, 1, 0, 1], difficulty); i++) assign(random, program, variables)
    if (program.largest > LARGEST || program.smallest < 0) continue
    program.print(difficulty < 3 ? expression(random, program, value) : value)
    return problem(random, program, asking)
  }
}
