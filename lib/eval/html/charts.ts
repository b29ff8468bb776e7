/** The drawings of the page: for each task the curve, and the lengths of the thinking. */
import { group } from 'd3-array'
import { figureOf } from '../figure.js'
import type { ReportData, ReportRun } from './data.js'
import { type HistogramRun, histogramOf } from './histogram.js'

export function curves(runs: readonly ReportRun[]): string[] {
  return [...group(runs, taskOf)].map(([task, ofTask]) => figureOf(ofTask, `${task}: accuracy over thinking tokens`))
}

export function lengths(runs: readonly ReportRun[], { responses }: ReportData): string[] {
  return [...group(runs, taskOf)].map(([task, ofTask]) => {
    const rows = ofTask.map((run, index): HistogramRun => {
      const window = widestWindow(run)
      const place = runs.indexOf(run)
      const measured = responses.filter((response) => response.run === place && response.window === window)
      return {
        label: run.label,
        window,
        index,
        lengths: measured.map(({ counted, correct }) => ({ tokens: counted, correct })),
        cuts: run.windows.filter((name) => name !== window && /^\d+$/.test(name)).map(Number),
      }
    })
    return histogramOf(rows, `${task}: thinking lengths`)
  })
}

/** Of those that have responses. */
export function widestWindow({ windows, summary }: ReportRun): string {
  const there = new Set(summary.windows.map(({ window }) => window))
  return windows.findLast((window) => there.has(window)) as string
}

function taskOf({ run }: ReportRun): string {
  return run.options.task
}
