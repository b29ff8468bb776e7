/** Runs test/native/reference.cpp, the oracle of the exactness tests, on many cases at once. Knows its line protocol only. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../out/build-test/bin/reference', import.meta.url))

export interface ReferenceCase {
  /** Tokens of the request. */
  contextSize: number
  parallel: number
  batchSize: number
  /** Infinity: until the model ends or the context is full. */
  window: number
  maxTokens: number
  prompt: number[]
  hint: number[]
}

export interface ReferenceResult {
  ended: 'self' | 'window' | 'length'
  reasoning: number[]
  answer: number[]
  /** Smallest difference of the two best logits over all sampled tokens. */
  margin: number
  /** With drafts. */
  drafted?: number
  accepted?: number
}

/** What the model is loaded with. */
export interface ReferenceLoad {
  cacheType?: { k: string; v: string }
  flashAttention?: 'auto' | boolean
  lora?: { path: string; scale: number }[]
  /** With drafts by prompt lookup, and nothing else of these. */
  speculation?: boolean
}

/** One result for each case, in order; the model runs on one thread. */
export function reference(
  engine: string,
  model: string,
  cases: ReferenceCase[],
  load?: ReferenceLoad,
): ReferenceResult[] {
  if (!existsSync(program)) throw new Error(`${program} is missing: npm test builds it`)
  const input = cases.map((one) => {
    // llama.cpp rounds a context up to 256 cells (llama-context.cpp).
    const cells = Math.ceil((one.contextSize * one.parallel) / 256) * 256
    const window = one.window === Infinity ? -1 : one.window
    const numbers = [one.contextSize, cells, one.batchSize, 1, cells, one.parallel, window, one.maxTokens]
    return [...numbers, one.prompt.length, ...one.prompt, one.hint.length, ...one.hint].join(' ')
  })
  const { status, stdout, stderr } = spawnSync(program, load ? argumentsOf(engine, model, load) : [engine, model], {
    input: `${input.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`reference failed: ${stderr}`)
  const lines = stdout.trimEnd().split('\n')
  if (lines.length !== cases.length) throw new Error(`reference gave ${lines.length} results for ${cases.length} cases`)
  return lines.map(parse)
}

function argumentsOf(engine: string, model: string, load: ReferenceLoad): string[] {
  if (load.speculation) return ['speculate', engine, model]
  const { cacheType = { k: 'f16', v: 'f16' }, flashAttention = 'auto', lora = [] } = load
  const flash = flashAttention === 'auto' ? -1 : Number(flashAttention)
  const adapters = lora.flatMap(({ path, scale }) => [path, String(scale)])
  return ['load', engine, model, cacheType.k, cacheType.v, String(flash), ...adapters]
}

function parse(line: string): ReferenceResult {
  const words = line.split(' ')
  const take = (n: number) => words.splice(0, n).map(Number)
  const ended = (['self', 'window', 'length'] as const)[take(1)[0] as number] as ReferenceResult['ended']
  const reasoning = take(take(1)[0] as number)
  const answer = take(take(1)[0] as number)
  const [margin, drafted, accepted] = take(3)
  return { ended, reasoning, answer, margin: margin as number, ...(accepted !== undefined && { drafted, accepted }) }
}
