/** Elements, and texts that others wrote: they are added as text, never as markup, and what cannot be seen is shown. */

/** Controls but tab and line feed, halves of a pair, and marks that join, end or turn lines; joiners in scripts and emoji are none. */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Surrogate}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/u

/** Characters of a text that are shown at once: a browser lays out megabytes for seconds. */
const AT_ONCE = 100_000

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | boolean | number | undefined>} attributes false and undefined: it has none.
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? '' : String(value))
  }
  made.append(...children)
  return made
}

/** An element that is there: the page comes with it. @param {string} id */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id))
}

/**
 * A text with its line feeds, in the direction that it has by itself. Of a long one the middle is shown on demand.
 * @param {string} className
 * @param {string} text
 */
export function textBlock(className, text) {
  const block = element('div', { class: `text ${className}`, dir: 'auto' })
  if (text.length <= AT_ONCE) addText(block, text)
  else {
    const half = AT_ONCE / 2
    addText(block, wellFormed(text.slice(0, half)))
    const rest = text.length - AT_ONCE
    const button = element('button', { type: 'button', class: 'all' }, `… ${rest} more characters: show all …`)
    button.addEventListener('click', () => {
      block.replaceChildren()
      addText(block, text)
    })
    block.append(button)
    addText(block, wellFormed(text.slice(-half)))
  }
  return block
}

/** A short text inside a line. @param {string} text */
export function inline(text) {
  const span = element('bdi')
  addText(span, text.length <= 400 ? text : `${wellFormed(text.slice(0, 400))}…`)
  return span
}

/** @param {HTMLElement} parent @param {string} text */
function addText(parent, text) {
  let rest = text
  for (let at = rest.search(UNSEEN); at >= 0; at = rest.search(UNSEEN)) {
    const code = rest.charCodeAt(at).toString(16).toUpperCase().padStart(4, '0')
    parent.append(rest.slice(0, at), element('span', { class: 'unseen' }, `U+${code}`))
    rest = rest.slice(at + 1)
  }
  parent.append(rest)
}

/** Without halves of a pair at the places where it was cut. @param {string} text */
function wellFormed(text) {
  return text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '')
}

/** @param {string} window */
export function shownWindow(window) {
  return window === 'inf' ? '∞' : window
}
