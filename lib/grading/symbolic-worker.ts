/**
 * The thread in which @cortex-js/compute-engine compares expressions. It owns the engine; whoever asks waits for it no longer
 * than a limit, and ends it then. It knows of nothing but the texts that it is sent.
 */
import { createRequire } from 'node:module'
import { type MessagePort, workerData } from 'node:worker_threads'

/** What is used of the engine: the package is not there when this is compiled for a user. */
interface Engine {
  parse(latex: string): Value
}

interface Value {
  readonly isValid: boolean
  readonly unknowns: readonly string[]
  readonly json: unknown
  readonly re: number
  readonly im: number
  is(other: Value): boolean | undefined
  subs(values: Record<string, number>): Value
  N(): Value
}

export interface WorkerSettings {
  /** The file of the engine. */
  file: string
  port: MessagePort
  /** Holds the number of the last question that is answered; 1 once the engine is loaded. */
  answered: SharedArrayBuffer
}

export interface Comparing {
  id: number
  expected: string
  given: string
}

export type Reply = { id: number; version: string } | { id: number; same: boolean }

/** Places at which expressions with names are compared, and how many both must have a value at. */
const POINTS = 8
const LEAST_POINTS = 4
const TOLERANCE = 1e-9

const { file, port, answered } = workerData as WorkerSettings
const loaded = createRequire(import.meta.url)(file) as { ComputeEngine: new () => Engine; version: string }
// It tells the console of every expression that it cannot work out.
for (const name of ['error', 'log', 'warn'] as const) console[name] = () => {}
const engine = new loaded.ComputeEngine()
const state = new Int32Array(answered)

function reply(message: Reply): void {
  port.postMessage(message)
  Atomics.store(state, 0, message.id)
  Atomics.notify(state, 0)
}

port.on('message', ({ id, expected, given }: Comparing) => {
  let same = false
  try {
    same = isSame(engine.parse(expected), engine.parse(given))
  } catch {
    // A text that the engine cannot work with: there is no opinion.
  }
  reply({ id, same })
})
// The first comparison takes much longer than the next ones: it is not one that counts.
isSame(engine.parse('\\sum_{k=1}^{3} k x^2 + (1+i)^2'), engine.parse('6 x^2 + 2i + \\lfloor 0.5 \\rfloor'))
reply({ id: 1, version: loaded.version })

/** Where both have values these decide, whatever a rule of the engine says. */
function isSame(a: Value, b: Value): boolean {
  if (!a.isValid || !b.isValid) return false
  const names = [...new Set([...a.unknowns, ...b.unknowns])]
  const counted = countedNames([a.json, b.json])
  const points = names.length > 0 ? POINTS : 1
  let agreed = 0
  for (let i = 0; i < points; i++) {
    const at = Object.fromEntries(names.map((name) => [name, valueAt(name, i, counted.has(name))]))
    const [x, y] = [a.subs(at).N(), b.subs(at).N()]
    if (![x.re, x.im, y.re, y.im].every(Number.isFinite)) continue
    const size = Math.max(Math.hypot(x.re, x.im), Math.hypot(y.re, y.im))
    if (Math.hypot(x.re - y.re, x.im - y.im) > TOLERANCE * Math.max(size, 1e-3)) return false
    agreed++
  }
  if (agreed > 0) return agreed >= Math.min(points, LEAST_POINTS)
  return a.is(b) === true
}

/** Names that stand for integers: in the bounds of sums and products, and in what has values at integers only. */
function countedNames(json: unknown, isCounted = false, names = new Set<string>()): Set<string> {
  if (typeof json === 'string' && isCounted) names.add(json)
  if (!Array.isArray(json)) return names
  const counts = isCounted || /^(?:Limits|Factorial2?|Binomial|Mod|GCD|LCM)$/.test(String(json[0]))
  for (const part of json) countedNames(part, counts, names)
  return names
}

/** The same in every run: integers from 1 on for what is counted, else numbers between −2.6 and 3.2. */
function valueAt(name: string, point: number, isCounted: boolean): number {
  let hash = 7 + point * 104_729
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) % 1_000_003
  const share = ((hash * 48_271) % 30_011) / 30_011
  if (isCounted) return 1 + point + Math.floor(3 * share)
  return point % 3 === 2 ? -0.1 - 2.5 * share : 0.2 + 3 * share
}
