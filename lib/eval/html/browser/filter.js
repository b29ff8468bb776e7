/** Which responses are shown. Knows no page. */

/** @typedef {import('../data.js').ReportData} Data */
/** @typedef {import('../data.js').ReportResponse} Response */
/** @typedef {Data['items'][number]} Item */

/**
 * What responses must be; '' is no condition.
 * @typedef {object} Filter
 * @property {string} task
 * @property {string} run Its index.
 * @property {string} window
 * @property {string} verdict right, wrong or unanswered
 * @property {string} ended
 * @property {string} larger lost or spoiled: what changes at a larger window
 * @property {string} search
 */

/** A row of the table: an item, and of its responses those that match. @typedef {{ item: number, matches: number[] }} Row */

/** @type {Filter} */
export const NO_FILTER = { task: '', run: '', window: '', verdict: '', ended: '', larger: '', search: '' }

/**
 * The items with a response that matches, each with the indices of these.
 * @param {Data} data
 * @param {Filter} filter
 * @returns {Row[]}
 */
export function rowsOf(data, filter) {
  const words = filter.search.trim()
  const pattern = words === '' ? undefined : new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'iu')
  const inItem = data.items.map((item) => pattern === undefined || itemTexts(item).some((text) => pattern.test(text)))
  /** @type {Map<number, Row>} */
  const rows = new Map()
  for (const [i, response] of data.responses.entries()) {
    if (!hasKind(data, response, filter)) continue
    if (pattern && !inItem[response.item] && !responseTexts(response).some((text) => pattern.test(text))) continue
    const row = rows.get(response.item) ?? { item: response.item, matches: [] }
    row.matches.push(i)
    rows.set(response.item, row)
  }
  return [...rows.values()]
}

/** @param {Data} data @param {Response} response @param {Filter} filter */
function hasKind(data, response, { task, run, window, verdict, ended, larger }) {
  return (
    (task === '' || data.items[response.item]?.task === task) &&
    (run === '' || response.run === Number(run)) &&
    (window === '' || response.window === window) &&
    (verdict === '' || verdictIs(response, verdict)) &&
    (ended === '' || response.ended === ended) &&
    (larger === '' || (larger === 'lost' ? response.lost : response.spoiled))
  )
}

/** @param {Response} response @param {string} verdict */
function verdictIs({ correct, unanswered }, verdict) {
  if (verdict === 'unanswered') return unanswered
  return correct === (verdict === 'right')
}

/** @param {Item} item */
function itemTexts({ id, question, answer, groups }) {
  return [id, question ?? '', answer ?? '', ...groupTexts(groups)]
}

/** As they are shown and searched for. @param {Item['groups']} groups */
export function groupTexts(groups) {
  return Object.entries(groups).map(([name, value]) => `${name}: ${value}`)
}

/** @param {Response} response */
function responseTexts({ text, extracted }) {
  return [text ?? '', extracted ?? '']
}

/**
 * The responses of an item by run and window, samples side by side.
 * @param {Data} data
 * @returns {Map<string, number[]>[]} of each item
 */
export function cellsOf(data) {
  /** @type {Map<string, number[]>[]} */
  const cells = data.items.map(() => new Map())
  for (const [i, { item, run, window }] of data.responses.entries()) {
    const ofItem = /** @type {Map<string, number[]>} */ (cells[item])
    const key = cellKey(run, window)
    const there = ofItem.get(key)
    if (there) there.push(i)
    else ofItem.set(key, [i])
  }
  for (const ofItem of cells) for (const there of ofItem.values()) there.sort((a, b) => sampleOf(a) - sampleOf(b))
  return cells

  /** @param {number} index */
  function sampleOf(index) {
    return /** @type {Response} */ (data.responses[index]).sample
  }
}

/** @param {number} run @param {string} window */
export function cellKey(run, window) {
  return `${run} ${window}`
}
