/** A report of runs as one HTML file that needs nothing else: figures, and every response behind them. */
import { boolean, listOf, text } from '../../base/checks.js'
import { type Option, option, readOptions } from '../../base/options.js'
import { packageVersion } from '../../base/package.js'
import { readAssets } from './assets.js'
import { curves, lengths } from './charts.js'
import { type ReportData, type ReportRun, readReport } from './data.js'
import { escapeHtml, jsonForHtml } from './markup.js'
import { figuresTable, introduction, lengthsSentence, notices, runsList } from './sections.js'

export interface HtmlReportOptions {
  /** Names of the runs, one for each. Default: the names of their folders. */
  labels?: readonly string[] | undefined
  /** Default: `Thinking windows: ` and the tasks. */
  title?: string | undefined
  /** false: questions, responses, and answers of more than 40 characters are left out. Default true. */
  texts?: boolean | undefined
}

const OPTIONS = {
  labels: option(listOf(text, 'array of labels')),
  title: option(text),
  texts: option(boolean, true),
} satisfies Record<keyof HtmlReportOptions, Option<unknown>>

/**
 * One self-contained page with the figures and the responses of runs, finished or not. It loads nothing, from a disk or a network.
 * @param directories Folders of runs, of one task or several.
 * @throws {TypeError|RangeError} for options that are invalid, and for no folder.
 * @throws {Error} for a folder without results, and for more than 2^27 characters of texts.
 */
export async function htmlReport(directories: readonly string[], options: HtmlReportOptions = {}): Promise<string> {
  const { labels, title, texts } = readOptions(OPTIONS, options)
  if (directories.length === 0) throw new RangeError('Expected at least one folder')
  if (labels && labels.length !== directories.length) throw new RangeError('Expected one label for each folder')
  return pageOf(await readReport(directories, labels, texts), { title, texts })
}

/** The page of what {@link readReport} has read. */
export function pageOf(
  { runs, data }: { runs: readonly ReportRun[]; data: ReportData },
  { title = titleOf(runs), texts }: { title: string | undefined; texts: boolean },
): string {
  const { style, script, policy } = readAssets()
  const counts = `${data.items.length} items, ${data.responses.length} responses, ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<div><h1>${escapeHtml(title)}</h1><p class="faint">${counts}</p></div>
<button type="button" id="theme" hidden>Theme: system</button>
</header>
<main>
${notices(runs, texts)}
${introduction(data)}
<section aria-labelledby="curve"><h2 id="curve">Accuracy over thinking tokens</h2>
${figures(curves(runs))}
${figuresTable(runs, data)}</section>
<section aria-labelledby="lengths"><h2 id="lengths">How long it thinks</h2>
<p>${lengthsSentence(runs)}</p>
${figures(lengths(runs, data))}</section>
<section aria-labelledby="items"><h2 id="items">Items</h2>
<noscript><p class="notice">The items are shown by the script in this file: allow it to run.</p></noscript>
<form id="filters" role="search" aria-label="Items" hidden></form>
<p class="faint legend" id="legend" hidden><b class="right">✓</b> right <b class="wrong">✗</b> wrong <b class="wrong">–</b> no answer
<b class="cut">&#160;</b> dashed: the window cut the thinking <b class="lost">&#160;</b> framed: lost, a larger window is right</p>
<p id="count" class="faint" aria-live="polite"></p>
<div class="wide" id="table"></div>
<button type="button" id="more" hidden></button></section>
<section aria-labelledby="runs"><h2 id="runs">Runs</h2>
${runsList(runs)}</section>
</main>
<footer class="faint"><p class="keys"><kbd>/</kbd> search, <kbd>←</kbd> <kbd>↑</kbd> <kbd>→</kbd> <kbd>↓</kbd> move in the table, <kbd>Enter</kbd> open; in an item
<kbd>←</kbd> <kbd>→</kbd> window, <kbd>k</kbd> <kbd>j</kbd> item, <kbd>Esc</kbd> close.</p><p>z1-native ${escapeHtml(packageVersion())}</p></footer>
<dialog id="item" aria-labelledby="item-title"></dialog>
<script type="application/json" id="data">${jsonForHtml(data)}</script>
<script>${script}</script>
</body>
</html>
`
}

function titleOf(runs: readonly ReportRun[]): string {
  return `Thinking windows: ${[...new Set(runs.map(({ run }) => run.options.task))].join(', ')}`
}

function figures(drawings: readonly string[]): string {
  return drawings.map((svg) => `<figure>${svg}</figure>`).join('\n')
}
