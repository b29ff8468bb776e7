/** `clean`: leaves out exact duplicates, near duplicates, and what an evaluation set holds. The first of equals stays. */

import { readRows } from '../base/formats.js'
import { type Row, textOf } from '../base/rows.js'
import { Job, type JobOptions, type JobReport, type Outcome, rowsOf } from './job.js'
import { NearIndex, type NearOptions } from './minhash.js'
import { OverlapIndex } from './overlap.js'
import { hash53, normalise } from './text.js'

export interface CleanOptions extends JobOptions, NearOptions {
  inputs: readonly string[]
  /** Files of evaluation questions (column `question` or `problem`) that must not be trained on. */
  against?: readonly string[] | undefined
  /** Words in a row, shared with an evaluation question, that make a record contaminated, ≥ 1. Default 13. */
  overlap?: number | undefined
  /** Look for near duplicates too. Default true. */
  near?: boolean | undefined
}

/**
 * Writes the records of the inputs whose question is new: reasons `duplicate`, `near duplicate`, `contaminated`.
 * Records pass unaltered. Memory grows by about 1 KB a record that is kept.
 * @throws as {@link Job.open} and its input do.
 */
export async function clean(options: CleanOptions): Promise<JobReport> {
  const { inputs, against = [], overlap = 13, threshold = 0.8, runLength = 3, near = true } = options
  const seen = new Set<number>()
  const similar = new NearIndex({ threshold, runLength })
  const evaluation = new OverlapIndex(overlap)
  const settings = { against, overlap, near, threshold, runLength }
  await using job = await Job.open({ command: 'clean', settings, inputs: [...inputs, ...against], options })
  if (job.done) return job.report

  for (const path of against) {
    for await (const row of readRows(path)) evaluation.add(questionOf(row))
  }
  for await (const row of job.written()) {
    const question = textOf(row, 'question')
    seen.add(hash53(normalise(question)))
    if (near) similar.add(similar.signatureOf(question))
  }
  const judge = (row: Row): Outcome => {
    const question = textOf(row, 'question')
    if (evaluation.has(question)) return { dropped: 'contaminated' }
    const hash = hash53(normalise(question))
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
  return await job.run(rowsOf(inputs, job.position), ({ value }) => judge(value))
}

function questionOf(row: Row): string {
  return textOf(row, 'question' in row.columns ? 'question' : 'problem')
}
