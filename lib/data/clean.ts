/** `clean`: leaves out exact duplicates, near duplicates, and what an evaluation set holds. The first of equals stays. */
import { boolean, count } from '../base/checks.js'
import { readRows } from '../base/formats.js'
import { type Option, option, readOptions, required } from '../base/options.js'
import { type Row, textOf } from '../base/rows.js'
import { MinHashIndex, NEAR_OPTIONS, type NearOptions } from './minhash.js'
import { fileNames, JOB_OPTIONS, type JobOptions } from './options.js'
import { OverlapIndex } from './overlap.js'
import { ResumableRun, type RowOutcome, rowsOf } from './resumable-run.js'
import type { JobReport } from './run-state.js'
import { hash53, normalize } from './text.js'

export interface CleanOptions extends JobOptions, NearOptions {
  inputs: readonly string[]
  /** Files of evaluation questions (column `question` or `problem`) that must not be trained on. */
  against?: readonly string[] | undefined
  /** Words in a row, shared with an evaluation question, that make a record contaminated, ≥ 1. Default 13. */
  overlap?: number | undefined
  /** Look for near duplicates too. Default true. */
  near?: boolean | undefined
}

const CLEAN_OPTIONS = {
  ...JOB_OPTIONS,
  ...NEAR_OPTIONS,
  inputs: required(fileNames),
  against: option(fileNames, []),
  overlap: option(count(1), 13),
  near: option(boolean, true),
} satisfies Record<keyof CleanOptions, Option<unknown>>

/**
 * Writes the records of the inputs whose question is new: reasons `duplicate`, `near duplicate`, `contaminated`.
 * Records pass unaltered. Memory grows by about 1 KB a record that is kept.
 * @throws {TypeError|RangeError} for invalid options.
 * @throws as {@link ResumableRun.open} and its input do.
 */
export async function clean(options: CleanOptions): Promise<JobReport> {
  const { inputs, against, overlap, threshold, runLength, near, ...jobOptions } = readOptions(CLEAN_OPTIONS, options)
  const seen = new Set<number>()
  const similar = new MinHashIndex({ threshold, runLength })
  const evaluation = new OverlapIndex(overlap)
  const settings = { against, overlap, near, threshold, runLength }
  await using run = await ResumableRun.open({
    command: 'clean',
    settings,
    inputs: [...inputs, ...against],
    options: jobOptions,
  })
  if (run.done) return run.report

  for (const path of against) {
    for await (const row of readRows(path)) evaluation.add(questionOf(row))
  }
  for await (const row of run.written()) {
    const question = textOf(row, 'question')
    seen.add(hash53(normalize(question)))
    if (near) similar.add(similar.signatureOf(question))
  }
  const judge = (row: Row): RowOutcome => {
    const question = textOf(row, 'question')
    if (evaluation.has(question)) return { dropped: 'contaminated' }
    const hash = hash53(normalize(question))
    if (seen.has(hash)) return { dropped: 'duplicate' }
    if (near) {
      const signature = similar.signatureOf(question)
      if (similar.find(signature) >= 0) return { dropped: 'near duplicate' }
      similar.add(signature)
    }
    // Only what is kept counts: a run that goes on knows no more.
    seen.add(hash)
    return { line: row.json }
  }
  return await run.complete(rowsOf(inputs, run.position), ({ value }) => judge(value))
}

function questionOf(row: Row): string {
  return textOf(row, 'question' in row.columns ? 'question' : 'problem')
}
