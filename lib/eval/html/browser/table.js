/** The table of items: a row for each, a cell for each run and window, to be walked with the arrow keys. */
import { cellKey, groupTexts } from './filter.js'
import { byId, element, inline, shownWindow } from './text.js'

/** @typedef {import('../data.js').ReportData} Data */
/** @typedef {import('../data.js').ReportResponse} Response */

/** Rows that are added at once. */
const PAGE = 100

export class ItemTable {
  /** @type {import('./filter.js').Row[]} */
  #rows = []
  #shown = 0
  #body = element('tbody')
  /** @type {{ run: number, window: string }[]} */
  #columns = []

  /**
   * @param {Data} data
   * @param {Map<string, number[]>[]} cells
   * @param {(response: number) => void} open
   */
  constructor(data, cells, open) {
    this.data = data
    this.cells = cells
    this.open = open
    byId('more').addEventListener('click', () => this.#addRows())
    const place = byId('table')
    place.addEventListener('click', (event) => this.#clicked(/** @type {HTMLElement} */ (event.target)))
    place.addEventListener('keydown', (event) => this.#moved(event))
  }

  /**
   * @param {import('./filter.js').Row[]} rows
   * @param {import('./filter.js').Filter} filter
   */
  show(rows, filter) {
    this.#rows = rows
    this.#shown = 0
    this.#body = element('tbody')
    const runs = this.data.runs.flatMap((run, i) => {
      const isIn = (filter.run === '' || Number(filter.run) === i) && (filter.task === '' || run.task === filter.task)
      return isIn ? [{ ...run, index: i }] : []
    })
    this.#columns = runs.flatMap(({ index, windows }) => windows.map((window) => ({ run: index, window })))
    const heads = runs.map(({ label, windows }) =>
      element('th', { colspan: windows.length, scope: 'colgroup' }, inline(label)),
    )
    const windows = this.#columns.map(({ window }) => element('th', { scope: 'col' }, shownWindow(window)))
    const head = element(
      'thead',
      {},
      element('tr', {}, element('th', { rowspan: 2, scope: 'col' }, 'item'), ...heads),
      element('tr', {}, ...windows),
    )
    byId('table').replaceChildren(element('table', { class: 'items' }, head, this.#body))
    this.#addRows()
  }

  #addRows() {
    const next = this.#rows.slice(this.#shown, this.#shown + PAGE)
    const isFirst = this.#shown === 0
    this.#shown += next.length
    this.#body.append(...next.map((row) => this.#row(row)))
    if (isFirst) this.#body.querySelector('button')?.setAttribute('tabindex', '0')
    const left = this.#rows.length - this.#shown
    const more = byId('more')
    more.hidden = left === 0
    more.textContent = `Show ${Math.min(left, PAGE)} more of ${left}`
  }

  /** @param {import('./filter.js').Row} row */
  #row({ item, matches }) {
    const { id, question, groups } = /** @type {Data['items'][number]} */ (this.data.items[item])
    const matching = new Set(matches)
    const about = question === null ? [] : [element('span', { class: 'question' }, inline(question.slice(0, 160)))]
    const name = element('button', { type: 'button', class: 'name', tabindex: -1, 'data-open': matches[0] }, inline(id))
    name.title = groupTexts(groups).join(', ')
    const head = element('th', { scope: 'row' }, name, ...about)
    const cells = this.#columns.map(({ run, window }, i) => {
      const there = this.cells[item]?.get(cellKey(run, window))
      const starts = i > 0 && this.#columns[i - 1]?.run !== run
      return element('td', { class: starts ? 'starts' : undefined }, ...(there ? [this.#cell(there, matching)] : []))
    })
    return element('tr', {}, head, ...cells)
  }

  /** @param {number[]} samples @param {Set<number>} matching */
  #cell(samples, matching) {
    const responses = samples.map((index) => /** @type {Response} */ (this.data.responses[index]))
    const first = samples.find((index) => matching.has(index)) ?? samples[0]
    const [one] = /** @type {[Response]} */ (responses)
    const right = responses.filter(({ correct }) => correct).length
    const kind = right === samples.length ? 'right' : right > 0 ? 'mixed' : 'wrong'
    const lost = responses.some(({ lost }) => lost)
    const cut = responses.some(({ ended }) => ended === 'window')
    const classes = [kind, lost && 'lost', cut && 'cut', !samples.some((index) => matching.has(index)) && 'other']
    const mark = samples.length > 1 ? `${right}/${samples.length}` : verdictMark(one)
    const said = [
      samples.length > 1 ? `${right} of ${samples.length} right` : verdictName(one),
      cut && 'cut by the window',
      lost && 'right at a larger window',
    ]
    const name = `window ${shownWindow(one.window)}: ${said.filter(Boolean).join(', ')}`
    const attributes = { type: 'button', tabindex: -1, 'data-open': first, title: name, 'aria-label': name }
    return element('button', { ...attributes, class: classes.filter(Boolean).join(' ') }, mark)
  }

  /** @param {HTMLElement} target */
  #clicked(target) {
    const button = target.closest('[data-open]')
    if (button instanceof HTMLElement) this.open(Number(button.dataset.open))
  }

  /** One button of the table is reached with Tab; from there the arrows go on. @param {KeyboardEvent} event */
  #moved(event) {
    const from = /** @type {HTMLElement} */ (event.target)
    const [row, cell] = [from.closest('tr'), from.closest('th, td')]
    if (!row || !cell || event.ctrlKey || event.metaKey || event.altKey) return
    const column = [...row.children].indexOf(cell)
    /** @type {Record<string, () => Element | null | undefined>} */
    const moves = {
      ArrowLeft: () => row.children[column - 1],
      ArrowRight: () => row.children[column + 1],
      ArrowUp: () => row.previousElementSibling?.children[column],
      ArrowDown: () => row.nextElementSibling?.children[column],
      Home: () => row.children[0],
      End: () => row.lastElementChild,
    }
    const to = moves[event.key]?.()?.querySelector('button')
    if (!moves[event.key]) return
    event.preventDefault()
    if (!to) return
    for (const other of this.#body.querySelectorAll('[tabindex="0"]')) other.setAttribute('tabindex', '-1')
    to.setAttribute('tabindex', '0')
    to.focus()
  }
}

/** @param {Response} response */
export function verdictMark({ correct, unanswered }) {
  return correct ? '✓' : unanswered ? '–' : '✗'
}

/** @param {Response} response */
export function verdictName({ correct, unanswered }) {
  return correct ? 'right' : unanswered ? 'no answer' : 'wrong'
}
