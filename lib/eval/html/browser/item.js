/** One response, opened: question, reasoning with the cut, hint, answer, gold and verdict; and what a larger window made of it. */
import { cellKey, groupTexts } from './filter.js'
import { verdictMark, verdictName } from './table.js'
import { byId, element, inline, shownWindow, textBlock } from './text.js'

/** @typedef {import('../data.js').ReportData} Data */
/** @typedef {import('../data.js').ReportResponse} Response */

/** @type {Record<Response['ended'], string>} */
const ENDED = {
  self: 'by itself',
  window: 'cut by the window',
  length: 'the context was full',
  loop: 'it repeated itself',
  early: 'ended early',
  stated: 'an answer was stated',
  stop: 'stopped',
  request: 'on request',
}

/**
 * @param {Data} data
 * @param {Map<string, number[]>[]} cells
 * @param {number} index
 * @returns {Node[]} The content of the dialog.
 */
export function itemView(data, cells, index) {
  const response = /** @type {Response} */ (data.responses[index])
  const item = /** @type {Data['items'][number]} */ (data.items[response.item])
  const context = data.contexts[response.context] ?? []
  const groups = groupTexts(item.groups).map((text) => element('span', { class: 'group' }, inline(text)))
  const title = element('h2', { id: 'item-title' }, inline(item.id))
  return [
    element(
      'header',
      {},
      element('div', {}, title, element('p', { class: 'faint' }, inline(item.task), ...groups)),
      buttons(),
    ),
    ...context.map(({ role, content }) =>
      section(role === 'system' ? 'System text' : role, textBlock('context', content)),
    ),
    section('Question', item.question === null ? leftOut() : textBlock('question', item.question)),
    windowsBar(data, /** @type {Map<string, number[]>} */ (cells[response.item]), index),
    verdict(item, response),
    ...responseSections(data, cells, response),
  ]
}

function buttons() {
  const button = (/** @type {string} */ action, /** @type {string} */ name, /** @type {string} */ sign) =>
    element('button', { type: 'button', 'data-action': action, title: name, 'aria-label': name }, sign)
  return element(
    'div',
    { class: 'buttons' },
    button('previous', 'Previous item (k)', '↑'),
    button('next', 'Next item (j)', '↓'),
    button('close', 'Close (Esc)', '×'),
  )
}

/** @param {string} name @param {Node[]} content */
function section(name, ...content) {
  return element('section', {}, element('h3', {}, name), ...content)
}

function leftOut() {
  return element('p', { class: 'faint' }, 'Left out of this report.')
}

/** The same item under every window of every run. @param {Data} data @param {Map<string, number[]>} cells @param {number} index */
function windowsBar(data, cells, index) {
  const lines = data.runs.flatMap((run, i) => {
    const chips = run.windows.flatMap((window) => (cells.get(cellKey(i, window)) ?? []).map((other) => chip(other)))
    return chips.length > 0
      ? [element('div', { class: 'chips' }, element('span', {}, inline(run.label)), ...chips)]
      : []
  })
  return element('nav', { 'aria-label': 'Windows' }, ...lines)

  /** @param {number} other */
  function chip(other) {
    const response = /** @type {Response} */ (data.responses[other])
    const { window, sample, lost, correct } = response
    const samples = /** @type {Data['runs'][number]} */ (data.runs[response.run]).samples
    const name = samples > 1 ? `${shownWindow(window)} #${sample + 1}` : shownWindow(window)
    const kind = `chip ${correct ? 'right' : 'wrong'}${lost ? ' lost' : ''}`
    const current = other === index ? 'true' : undefined
    const label = `window ${name}: ${verdictName(response)}`
    const attributes = { type: 'button', class: kind, 'data-open': other, 'aria-current': current, 'aria-label': label }
    return element('button', attributes, `${name} ${verdictMark(response)}`)
  }
}

/** @param {Data['items'][number]} item @param {Response} response */
function verdict(item, response) {
  const { correct, unanswered, extracted, ended, thinkingTokens, hintTokens, answerTokens, lost, spoiled } = response
  const rows = [
    row('Answer', unanswered ? 'none was found' : extracted === null ? leftOut() : inline(extracted)),
    row('Right answer', item.answer === null ? leftOut() : inline(item.answer)),
    row('Thinking', `${ENDED[ended] ?? ended}, after ${tokens(thinkingTokens)}`),
    row('Then', `${tokens(hintTokens)} of hint, ${tokens(answerTokens)} of answer`),
  ]
  const name = verdictName(response)
  const said = lost ? `${name}, but right at a larger window` : spoiled ? `${name}, but wrong at a larger window` : name
  const head = element('p', { class: 'said' }, `${verdictMark(response)} ${said}`)
  return element(
    'section',
    { class: `verdict ${correct ? 'right' : 'wrong'}` },
    head,
    element('dl', {}, ...rows.flat()),
  )

  /** @param {string} term @param {Node | string} content */
  function row(term, content) {
    return [element('dt', {}, term), element('dd', {}, content)]
  }
}

/** @param {number} count */
function tokens(count) {
  return `${count} ${count === 1 ? 'token' : 'tokens'}`
}

/** @param {Data} data @param {Map<string, number[]>[]} cells @param {Response} response */
function responseSections(data, cells, response) {
  const { text, parts } = response
  if (text === null) return [section('Response', leftOut())]
  const cut = parts.reasoning
  const reasoning = text.slice(0, cut)
  const hint = text.slice(cut, cut + parts.hint)
  const answer = text.slice(cut + parts.hint)
  const thought = reasoning === '' ? element('p', { class: 'faint' }, 'None.') : textBlock('reasoning', reasoning)
  const isCut = response.ended !== 'self' && response.ended !== 'stop'
  const marks = isCut || answer !== '' ? [cutMark(response)] : []
  const here = element('div')
  if (hint !== '') here.append(section('Hint, put in after the cut', textBlock('hint', hint)))
  if (answer !== '') here.append(section('Answer', textBlock('answer', answer)))
  const there = continuation(data, cells, response, reasoning)
  return [section('Reasoning', thought), ...marks, element('div', { class: 'fork' }, here, ...there)]
}

/** @param {Response} response */
function cutMark({ ended, thinkingTokens, parts }) {
  const what =
    ended === 'self'
      ? 'The thinking ended'
      : ended === 'window'
        ? 'Cut: the window closed'
        : `Cut: ${ENDED[ended] ?? ended}`
  const end = parts.hint === 0 && ended !== 'self' ? '; nothing follows' : ''
  return element('p', { class: 'cut-mark', role: 'separator' }, `✂ ${what} after ${tokens(thinkingTokens)}${end}`)
}

/**
 * What the same thinking went on to say under the largest window, where that begins with it, as greedy ones do.
 * @param {Data} data @param {Map<string, number[]>[]} cells @param {Response} response @param {string} reasoning
 * @returns {HTMLElement[]} None, or one.
 */
function continuation(data, cells, { run, item, window, sample, ended }, reasoning) {
  const largest = data.runs[run]?.windows.findLast((name) => cells[item]?.has(cellKey(run, name)))
  if (ended !== 'window' || largest === undefined || largest === window) return []
  const other = cells[item]?.get(cellKey(run, largest))?.map((index) => /** @type {Response} */ (data.responses[index]))
  const full = other?.find((each) => each.sample === sample)
  if (!full?.text?.startsWith(reasoning) || full.parts.reasoning <= reasoning.length) return []
  const rest = full.text.slice(reasoning.length, full.parts.reasoning)
  const name = `Without this cut, at window ${shownWindow(largest)}: ${verdictMark(full)} ${verdictName(full)}`
  return [element('div', { class: 'without' }, section(name, textBlock('rest', rest)))]
}

/** The dialog and what it shows. */
export class ItemDialog {
  /** @type {number | undefined} */
  shown

  /**
   * @param {Data} data @param {Map<string, number[]>[]} cells
   * @param {{ go: (response: number | undefined) => void, neighbor: (item: number, step: number) => number | undefined }} page
   */
  constructor(data, cells, page) {
    this.data = data
    this.cells = cells
    this.page = page
    this.dialog = /** @type {HTMLDialogElement} */ (byId('item'))
    // The event comes late: another item may be open by then.
    this.dialog.addEventListener('close', () => {
      if (!this.dialog.open) this.page.go(undefined)
    })
    this.dialog.addEventListener('click', (event) => this.#clicked(/** @type {HTMLElement} */ (event.target)))
    this.dialog.addEventListener('keydown', (event) => this.#key(event))
  }

  /** @param {number | undefined} index undefined: none. */
  show(index) {
    if (index === this.shown) return
    this.shown = index
    if (index === undefined) return this.dialog.close()
    const hadFocus = this.dialog.contains(document.activeElement)
    this.dialog.replaceChildren(...itemView(this.data, this.cells, index))
    if (!this.dialog.open) this.dialog.showModal()
    const current = this.dialog.querySelector('[aria-current]')
    if (current instanceof HTMLElement) current.focus({ preventScroll: true })
    if (!hadFocus) this.dialog.scrollTop = 0
  }

  /** @param {HTMLElement} target */
  #clicked(target) {
    const button = target.closest('button')
    // Its ground, beside what it holds.
    if (target === this.dialog) return this.page.go(undefined)
    if (button?.dataset.open !== undefined) return this.page.go(Number(button.dataset.open))
    const { action } = button?.dataset ?? {}
    if (action === 'close') this.page.go(undefined)
    if (action === 'previous') this.#step(-1)
    if (action === 'next') this.#step(1)
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'j') this.#step(1)
    if (event.key === 'k') this.#step(-1)
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return
    const chips = [...this.dialog.querySelectorAll('[aria-current]')].flatMap((chip) => [
      ...(chip.parentElement?.querySelectorAll('button') ?? []),
    ])
    const at = chips.findIndex((chip) => chip.hasAttribute('aria-current'))
    const to = chips[at + (event.key === 'ArrowLeft' ? -1 : 1)]
    event.preventDefault()
    if (to) this.page.go(Number(to.dataset.open))
  }

  /** @param {number} by */
  #step(by) {
    const response = this.shown === undefined ? undefined : this.data.responses[this.shown]
    const to = response && this.page.neighbor(response.item, by)
    if (to !== undefined) this.page.go(to)
  }
}
