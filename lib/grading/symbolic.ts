/**
 * Symbolic comparison by the optional package @cortex-js/compute-engine, in a thread of its own: what it is given is a model's
 * text, and no computer algebra is over soon for every text. Grading waits for it, so that comparing stays synchronous; a
 * thread that takes longer than the limit is ended, and the next question starts another.
 */
import { createRequire } from 'node:module'
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Comparing, Reply, WorkerSettings } from './symbolic-worker.js'

export const SYMBOLIC_PACKAGE = '@cortex-js/compute-engine'

/** Milliseconds that one comparison of answers may spend here, and that the engine may take to load. */
export const SYMBOLIC_LIMIT = 3000
const LOADING_LIMIT = 60_000

/** Longer and deeper texts, and numbers with more digits, are not handed over. */
const LONGEST = 300
const DEEPEST = 12
const MOST_DIGITS = 15

interface Thread {
  worker: Worker
  port: MessagePort
  state: Int32Array
}

let file: string | null = null
let version: string | null = null
let thread: Thread | null = null
let lastId = 1

/**
 * From now on in this process, expressions that the rules of `sameAnswer` do not decide are compared by the optional
 * package @cortex-js/compute-engine.
 * @returns The package's version; null where it is not installed or does not load: everything goes on without it.
 */
export async function loadSymbolic(): Promise<string | null> {
  if (version !== null) return version
  try {
    file = createRequire(import.meta.url).resolve(SYMBOLIC_PACKAGE)
    thread = startThread(file)
  } catch {
    return null
  }
  version = versionOf(await firstReply(thread))
  if (version === null) endThread()
  return version
}

/** False also where the package is not loaded, cannot read the texts, or has found nothing within `limit` milliseconds. */
export function sameSymbolically(expected: string, given: string, limit = SYMBOLIC_LIMIT): boolean {
  if (version === null || file === null || limit <= 0) return false
  const texts = [expected, given].map(latexOf)
  if (texts.includes(null)) return false
  const isNew = thread === null
  thread ??= startThread(file)
  if (isNew && !wait(thread, 0, LOADING_LIMIT)) return giveUp()
  const id = ++lastId
  Atomics.store(thread.state, 0, 1)
  const question: Comparing = { id, expected: texts[0] as string, given: texts[1] as string }
  thread.port.postMessage(question)
  if (!wait(thread, 1, limit)) return giveUp()
  for (let reply = take(thread); reply; reply = take(thread)) if (reply.id === id && 'same' in reply) return reply.same
  return false
}

function startThread(file: string): Thread {
  const { port1: port, port2 } = new MessageChannel()
  const answered = new SharedArrayBuffer(4)
  const settings: WorkerSettings = { file, port: port2, answered }
  const worker = new Worker(new URL('./symbolic-worker.js', import.meta.url), {
    workerData: settings,
    transferList: [port2],
    resourceLimits: { maxOldGenerationSizeMb: 256 },
    execArgv: [],
  })
  // What ends it, as running out of its memory, is seen as a question without an answer.
  worker.on('error', () => {})
  worker.unref()
  port.unref()
  return { worker, port, state: new Int32Array(answered) }
}

/** Whether the state leaves `value` within so many milliseconds. A thread also wakes who has taken its reply already. */
function wait({ state }: Thread, value: number, limit: number): boolean {
  const end = performance.now() + limit
  for (let left = limit; Atomics.load(state, 0) === value; left = end - performance.now()) {
    if (left <= 0) return false
    Atomics.wait(state, 0, value, left)
  }
  return true
}

function take({ port }: Thread): Reply | undefined {
  return receiveMessageOnPort(port)?.message as Reply | undefined
}

/** Without blocking the event loop; undefined if the thread ends or takes too long. */
async function firstReply(thread: Thread): Promise<Reply | undefined> {
  let hasEnded = false
  thread.worker.once('exit', () => {
    hasEnded = true
  })
  for (let waited = 0; waited < LOADING_LIMIT && !hasEnded; waited += 20) {
    const reply = take(thread)
    if (reply) return reply
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return undefined
}

function versionOf(reply: Reply | undefined): string | null {
  return reply && 'version' in reply ? reply.version : null
}

function giveUp(): false {
  endThread()
  return false
}

function endThread(): void {
  void thread?.worker.terminate()
  thread?.port.close()
  thread = null
}

const COMMANDS: [RegExp, string][] = [
  [/\*/g, '\\cdot '],
  [/π/g, '\\pi '],
  [/∞/g, '\\infty '],
  [/⦃/g, '\\{'],
  [/⦄/g, '\\}'],
]

/** A text in plain signs as LaTeX; null for what is no mathematics, or may take for ever. */
function latexOf(text: string): string | null {
  if (text.length > LONGEST || depthOf(text) > DEEPEST || /\^[^+*/=-]*\^[^+*/=-]*\^/.test(text)) return null
  if (new RegExp(`\\d{${MOST_DIGITS + 1}}|\\^\\s?\\{?\\s?-?\\d{5}|\\d{5}\\s?!`).test(text)) return null
  // At real numbers a conjugate or a real part is the number itself.
  if (/\\(?:overline|bar|hat|vec|Re|Im|arg)(?![A-Za-z])|\b(?:Re|Im)\b/.test(text)) return null
  // Words, relations, lists, digits apart, signs that each reader reads in a way of its own.
  const words = text.replace(/\\[A-Za-z]+/g, ' ')
  if (/\p{L}{3}/u.test(words.replace(/\b(?:sin|cos|tan|cot|sec|csc|log|lcm|gcd|max|min|mod|exp)\b/g, ' '))) return null
  if (/[=<>,;:?&@%∪∈∖±∓≈∅'"]|\.\.|\d\s+\d|\d\s?_/.test(text.replace(/_\{[^{}]*\}/g, '').replace(/\([^()]*\)/g, '')))
    return null
  return COMMANDS.reduce((latex, [sign, command]) => latex.replace(sign, command), text)
}

function depthOf(text: string): number {
  let [depth, deepest] = [0, 0]
  for (const character of text) {
    if ('([{'.includes(character)) deepest = Math.max(deepest, ++depth)
    else if (')]}'.includes(character)) depth--
  }
  return deepest
}
