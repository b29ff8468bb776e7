/** The parts of the page that need no script: what stands above the items. */
import type { Figures, RunEnvironment } from '../records.js'
import { reportOf } from '../report.js'
import { widestWindow } from './charts.js'
import type { ReportData, ReportResponse, ReportRun } from './data.js'
import { escapeHtml, escapeHtmlLines, table } from './markup.js'

const GPQA = 'gpqa-diamond'

const FIGURES = `Lost: wrong here, right at a larger window; spoiled: right here, wrong at a larger one. Their numbers show the items below. Thinking and
generated: average tokens of a response, the hint not counted. By itself, cut: how the thinking ended.`

/** What a reader must know before the figures: what is missing, and what may not be published. */
export function notices(runs: readonly ReportRun[], texts: boolean): string {
  const unfinished = runs.filter(({ summary: { done, total } }) => done < total)
  const sentences = unfinished.map(({ label, summary: { done, total } }) => {
    return `${escapeHtml(label)} is not finished: ${done} of ${total} responses are there.`
  })
  if (runs.some(({ run }) => run.options.task === GPQA)) {
    sentences.push(
      texts
        ? "GPQA's authors ask that no example be shown online in plain text: do not publish this file, which holds them; --no-texts leaves questions and responses out."
        : "GPQA's authors ask that no example be shown online in plain text: questions and responses are left out here.",
    )
  } else if (!texts) sentences.push('Questions and responses are left out of this report.')
  return sentences.map((sentence) => `<p class="notice">${sentence}</p>`).join('\n')
}

/** Where a reader who sees such a report for the first time begins. */
export function introduction(data: ReportData): string {
  const example = exampleOf(data.responses)
  const open =
    example === undefined
      ? ''
      : `<p><button type="button" class="primary" data-response="${example}">Open an item whose answer the cut cost</button></p>`
  return `<p>The model thinks for at most so many tokens, its <em>window</em>. Where the window closes, the thinking is cut, a <em>hint</em>
is put after it, and the model answers from there. A response is <em>lost</em> if its answer is wrong and a larger window's is right:
the cut cost it.</p>${open}`
}

/** The last cut that cost an answer: most was thought before it. */
function exampleOf(responses: readonly ReportResponse[]): number | undefined {
  let best: number | undefined
  for (const [i, { lost, ended, thinkingTokens }] of responses.entries()) {
    if (!lost || ended !== 'window') continue
    if (best === undefined || thinkingTokens > (responses[best] as ReportResponse).thinkingTokens) best = i
  }
  return best
}

export function figuresTable(runs: readonly ReportRun[], { responses }: ReportData): string {
  const isScored = runs.some(({ summary }) => summary.windows.some(({ score }) => score !== undefined))
  const head = [
    ...[
      'run',
      'window',
      'accuracy, %',
      '95%',
      ...(isScored ? ['score, %'] : []),
      'lost',
      'spoiled',
      'thinking',
      'generated',
    ],
    ...['by itself, %', 'cut, %', 'no answer, %'],
  ]
  const rows = runs.flatMap(({ label, summary, windows }, run) => {
    const there = windows.flatMap((name) => summary.windows.filter(({ window }) => window === name))
    return there.map((window, i) => {
      const here = responses.filter((response) => response.run === run && response.window === window.window)
      const { generatedTokens, ended, unanswered } = window
      return [
        i === 0 ? `<strong>${escapeHtml(label)}</strong>` : '',
        shown(window.window),
        ...accuracyCells(window),
        ...(isScored ? [window.score ? percent(window.score.mean) : '–'] : []),
        filterButton(run, window.window, 'lost', here.filter(({ lost }) => lost).length),
        filterButton(run, window.window, 'spoiled', here.filter(({ spoiled }) => spoiled).length),
        ...[window.att.toFixed(1), generatedTokens.toFixed(1)],
        ...[ended.self, ended.window, unanswered].map(percent),
      ]
    })
  })
  const all = runs.map(({ label, summary }) => {
    return `<details class="figures"><summary>All figures of ${escapeHtml(label)}</summary><pre>${escapeHtmlLines(reportOf(summary))}</pre></details>`
  })
  return table(head, rows, FIGURES) + all.join('\n')
}

function accuracyCells({ accuracy, interval: [low, high] }: Figures): string[] {
  return [`<strong>${percent(accuracy)}</strong>`, `${percent(low)} … ${percent(high)}`]
}

/** Shows the items that it counts. */
function filterButton(run: number, window: string, larger: 'lost' | 'spoiled', count: number): string {
  if (count === 0) return '0'
  const name = `Show the ${count} ${larger} at window ${shown(window)}`
  return `<button type="button" class="count" data-run="${run}" data-window="${escapeHtml(window)}" data-larger="${larger}" title="${name}" aria-label="${name}">${count}</button>`
}

/** What each run was made with. */
export function runsList(runs: readonly ReportRun[]): string {
  return runs
    .map(({ label, run: { options, environment } }) => {
      const { model, version, devices, parallel, threads } = environment as Partial<RunEnvironment>
      const facts: [string, unknown][] = [
        ['model', options.modelName ?? model?.file],
        ['architecture', model?.architecture],
        ['quantization', model?.quantization],
        ['parameters', model?.parameters?.toLocaleString('en')],
        ['SHA-256', options.modelSha256],
        ['task', `${options.task}, ${options.items} items${options.shard ? `, shard ${options.shard}` : ''}`],
        ['method', options.method],
        ['windows', options.windows.join(', ')],
        ['hint', options.hint],
        ['answer tokens', options.maxTokens],
        ['system text', options.system],
        ['temperature', options.temperature],
        ['samples', options.samples],
        ['seed', options.seed],
        ['z1-native', version],
        ['devices', devices?.join(', ')],
        ['requests at once', parallel],
        ['threads', threads],
      ]
      const rows = facts
        .filter(([, value]) => value !== null && value !== undefined)
        .map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(String(value))}</dd>`)
      return `<details><summary>${escapeHtml(label)}</summary><dl>${rows.join('\n')}</dl></details>`
    })
    .join('\n')
}

/** Runs under the widest window, for the sentence above their lengths. */
export function lengthsSentence(runs: readonly ReportRun[]): string {
  const windows = [...new Set(runs.map(widestWindow))]
  return `Under the largest window (${windows.map(shown).join(', ')}), where the thinking is least cut. A dashed line stands at each smaller window, with the share of responses that are longer.`
}

function shown(window: string): string {
  return window === 'inf' ? '∞' : escapeHtml(window)
}

function percent(share: number): string {
  return (100 * share).toFixed(1)
}
