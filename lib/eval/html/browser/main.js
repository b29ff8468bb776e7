/** The page: filters, the address of an open response, themes. */
import { cellsOf, NO_FILTER, rowsOf } from './filter.js'
import { ItemDialog } from './item.js'
import { ItemTable } from './table.js'
import { byId, element, shownWindow } from './text.js'

/** @type {import('../data.js').ReportData} */
const data = JSON.parse(byId('data').textContent ?? '')
const cells = cellsOf(data)
let filter = { ...NO_FILTER }
/** @type {import('./filter.js').Row[]} */
let rows = []

const dialog = new ItemDialog(data, cells, { go, neighbor })
const table = new ItemTable(data, cells, go)

/** The address says which response is open, so that a browser's own way back closes it. @param {number | undefined} response */
function go(response) {
  const { hash, href } = location
  const address = response === undefined ? '' : `#response-${response}`
  if (hash === address) return
  if (response === undefined) history.replaceState(null, '', href.slice(0, href.length - hash.length))
  else if (dialog.shown === undefined) history.pushState(null, '', address)
  else history.replaceState(null, '', address)
  showAddress()
}

function showAddress() {
  const index = Number(/^#response-(\d+)$/.exec(location.hash)?.[1] ?? NaN)
  dialog.show(data.responses[index] ? index : undefined)
}

/** The first match of the next item of the table. @param {number} item @param {number} step */
function neighbor(item, step) {
  const at = rows.findIndex((row) => row.item === item)
  return at < 0 ? undefined : rows[at + step]?.matches[0]
}

function showRows() {
  rows = rowsOf(data, filter)
  table.show(rows, filter)
  const responses = rows.reduce((sum, { matches }) => sum + matches.length, 0)
  byId('count').textContent =
    rows.length === 0
      ? 'No item matches.'
      : `${rows.length} of ${data.items.length} items; ${responses} responses match, the others are pale.`
  const form = byId('filters')
  for (const field of form.querySelectorAll('select, input')) {
    if (!(field instanceof HTMLSelectElement || field instanceof HTMLInputElement)) continue
    const value = filter[/** @type {keyof typeof filter} */ (field.name)]
    if (field.value !== value) field.value = value
  }
}

/** @param {Partial<typeof filter>} change */
function setFilter(change) {
  filter = { ...filter, ...change }
  showRows()
}

/** @param {keyof typeof filter} name @param {string} label @param {[value: string, text: string][]} values */
function select(name, label, values) {
  const options = [['', 'all'], ...values].map(([value, text]) => element('option', { value }, text ?? ''))
  const field = element('select', { name }, ...options)
  field.addEventListener('change', () => setFilter({ [name]: field.value }))
  return element('label', { hidden: values.length < 2 }, label, field)
}

/** @param {string[]} values @returns {[string, string][]} */
function same(values) {
  return [...new Set(values)].map((value) => [value, value])
}

function makeFilters() {
  /** @type {[string, string][]} */
  const windows = same(data.runs.flatMap((run) => run.windows)).map(([value]) => [value, shownWindow(value)])
  const search = element('input', { type: 'search', name: 'search', placeholder: 'in questions and responses' })
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  search.addEventListener('input', () => {
    clearTimeout(timer)
    timer = setTimeout(() => setFilter({ search: search.value }), 120)
  })
  const clear = element('button', { type: 'button' }, 'Clear')
  clear.addEventListener('click', () => setFilter(NO_FILTER))
  const form = byId('filters')
  form.append(
    select('task', 'Task', same(data.runs.map(({ task }) => task))),
    select(
      'run',
      'Run',
      data.runs.map(({ label }, i) => [String(i), label]),
    ),
    select('window', 'Window', windows),
    select('verdict', 'Verdict', same(['right', 'wrong', 'unanswered'])),
    select('ended', 'Thinking ended', same(data.responses.map(({ ended }) => ended))),
    select('larger', 'A larger window', [
      ['lost', 'is right, this one wrong'],
      ['spoiled', 'is wrong, this one right'],
    ]),
    element('label', { class: 'search' }, 'Search', search),
    clear,
  )
  form.addEventListener('submit', (event) => event.preventDefault())
  form.hidden = false
  byId('legend').hidden = false
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || dialog.shown !== undefined || event.target instanceof HTMLInputElement) return
    event.preventDefault()
    search.focus()
  })
}

/** What the parts above the table point at. */
function followButtons() {
  document.querySelector('main')?.addEventListener('click', (event) => {
    const { dataset } = /** @type {HTMLElement} */ (event.target)
    if (dataset.response !== undefined) go(Number(dataset.response))
    if (dataset.larger === undefined) return
    setFilter({ ...NO_FILTER, run: dataset.run ?? '', window: dataset.window ?? '', larger: dataset.larger })
    byId('items').scrollIntoView()
  })
}

function themes() {
  const names = ['system', 'light', 'dark']
  const button = byId('theme')
  button.hidden = false
  button.addEventListener('click', () => {
    const root = document.documentElement
    const next = names[(names.indexOf(root.dataset.theme ?? 'system') + 1) % names.length] ?? 'system'
    root.dataset.theme = next
    button.textContent = `Theme: ${next}`
  })
}

makeFilters()
followButtons()
themes()
showRows()
showAddress()
addEventListener('hashchange', showAddress)
