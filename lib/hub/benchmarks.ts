/** Benchmarks whose files are on the Hub, by the names that `z1 eval --task` has for them. */

/** Where a benchmark's rows are. */
export interface Benchmark {
  repo: string
  /** The first file, by name, whose path matches. */
  file: RegExp
}

/**
 * GPQA Diamond is not among them: its authors give it as CSV to those who have accepted their conditions, and ask that its questions are not
 * copied.
 */
export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  math500: { repo: 'HuggingFaceH4/MATH-500', file: /^test\.jsonl$/ },
  gsm8k: { repo: 'openai/gsm8k', file: /^main\/test-.*\.parquet$/ },
  aime24: { repo: 'HuggingFaceH4/aime_2024', file: /(^|\/)train[^/]*\.(parquet|jsonl)$/ },
  amc23: { repo: 'math-ai/amc23', file: /(^|\/)test[^/]*\.(parquet|jsonl)$/ },
}

/** The benchmark of a name, if there is one. */
export function benchmarkNamed(name: string): Benchmark | undefined {
  return Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined
}
