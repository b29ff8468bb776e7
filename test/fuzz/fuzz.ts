/** Writes mutants and has a child process load them; judges what the child does with each. */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EMBEDDED_MODEL } from '../../lib/reason/model-file.js'
import { type ModelName, testModel } from '../support/models.js'
import { Random } from '../support/random.js'
import { Base, mutant } from './mutate.js'

const child = fileURLToPath(new URL('load-files.mjs', import.meta.url))
/** Files that failed are kept here. */
const failuresFolder = fileURLToPath(new URL('../../out/fuzz', import.meta.url))

/** What may come of a file; see docs/api.md. */
const allowed =
  /^(SUCCESS|MODEL_INVALID|MODEL_UNSUPPORTED|OUT_OF_MEMORY|DECODE_FAILED|CONTEXT_TOO_SMALL|TEMPLATE_(FAILED|NOT_FOUND))$/
/** ms for one file. */
const timeLimit = 120_000
/** Bytes that the child may have taken at most: a sound file takes a fifth of it. */
const memoryLimit = 2 ** 30

interface Failure {
  /** Number of the file; with the seed it gives the file again. */
  index: number
  model: string
  changes: string[]
  what: string
  /** Where the file was kept. */
  path: string
}

export interface Report {
  /** How often each code came. */
  outcomes: Record<string, number>
  failures: Failure[]
}

interface Outcome {
  code: string
  message: string
  peakMemory: number
}

/** How often each model is drawn: the real vocabulary takes 20 times as long as the others. */
const shares: [ModelName | 'z1-mini', number][] = [
  ['qwen2-bytes', 6],
  ['llama-spm', 6],
  ['mamba', 4],
  ['z1-mini', 4],
  ['qwen2-vocab', 1],
]

/** Loads files `from`, … of a seed's, `count` of them. */
export async function fuzz(seed: number, count: number, from = 0): Promise<Report> {
  const bases = shares.flatMap(([name, share]) => {
    const base = new Base(name, readFileSync(name === 'z1-mini' ? EMBEDDED_MODEL : testModel(name)))
    return Array.from({ length: share }, () => base)
  })
  const folder = mkdtempSync(join(tmpdir(), 'z1-fuzz-'))
  const report: Report = { outcomes: {}, failures: [] }
  let loader = new Loader()
  try {
    for (let index = from; index < from + count; index++) {
      const random = new Random(seed, `file ${index}`)
      const base = bases[random.below(bases.length)] as Base
      const { bytes, changes } = mutant(random, base)
      const path = join(folder, `${seed}-${index}.gguf`)
      writeFileSync(path, bytes)
      const { outcome, failure } = await loader.load(path)
      report.outcomes[outcome] = (report.outcomes[outcome] ?? 0) + 1
      if (failure) {
        mkdirSync(failuresFolder, { recursive: true })
        const kept = join(failuresFolder, `${seed}-${index}.gguf`)
        writeFileSync(kept, bytes)
        report.failures.push({ index, model: base.name, changes, what: failure, path: kept })
        loader.end()
        loader = new Loader()
      }
      rmSync(path)
    }
  } finally {
    loader.end()
    rmSync(folder, { recursive: true, force: true })
  }
  return report
}

/** A child process that loads files. After a failure it may be broken in ways that show later: take a new one. */
class Loader {
  readonly #child: ChildProcess
  #printed = ''

  constructor() {
    this.#child = fork(child, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        this.#printed += text
      })
    }
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  /** The outcome, and what was wrong with it. */
  async load(path: string): Promise<{ outcome: string; failure: string | undefined }> {
    const answer = await this.#answer(path)
    if (typeof answer === 'string') return { outcome: 'CRASH', failure: `${answer}: ${this.#printed}` }
    const { code, message, peakMemory } = answer
    return { outcome: code, failure: this.#judge(code, message, peakMemory) }
  }

  #judge(code: string, message: string, peakMemory: number): string | undefined {
    if (this.#printed) return `${code}, and printed: ${this.#printed}`
    if (!allowed.test(code)) return `${code}: ${message}`
    // An assertion of ggml's: with one thread the step runs on the context's own, where it is caught; another would have
    // ended the process. What llama.cpp itself asserts is always on the context's.
    if (/must be loaded again: (?!llama)/.test(message)) return message
    if (code !== 'SUCCESS' && !/^[^\p{Cc}]+: [^\p{Cc}]+$/u.test(message))
      return `${code}, not in one sentence: ${message}`
    if (message.length > 1000) return `${code}, at length: ${message}`
    return peakMemory > memoryLimit ? `${code}, and took ${peakMemory / 2 ** 20} MiB` : undefined
  }

  #answer(path: string): Promise<Outcome | string> {
    return new Promise((resolve) => {
      const settle = (answer: Outcome | string) => {
        clearTimeout(timer)
        this.#child.removeAllListeners()
        resolve(answer)
      }
      const timer = setTimeout(() => settle(`no answer within ${timeLimit / 1000} s`), timeLimit)
      this.#child.once('message', settle)
      this.#child.once('close', (status, signal) => settle(`the process ended (${signal ?? `exit code ${status}`})`))
      this.#child.send(path)
    })
  }
}
