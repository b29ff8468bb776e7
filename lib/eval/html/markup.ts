/** Text that others wrote, in HTML: it stays text. */
import { oneLine } from '../../base/one-line.js'
import { escapeXml } from '../../base/svg.js'

/** On one line, unseen characters as escapes; as an element's content or between double quotes. */
export function escapeHtml(text: string): string {
  return escapeXml(oneLine(text))
}

/** Lines as they are. */
export function escapeHtmlLines(text: string): string {
  return text.split('\n').map(escapeHtml).join('\n')
}

/** JSON for a script element: no text in it can end the element, or begin a comment in it. */
export function jsonForHtml(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}

/** A table; cells are HTML already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], caption: string): string {
  const cells = (row: readonly string[], tag: string) => row.map((cell) => `<${tag}>${cell}</${tag}>`).join('')
  return [
    `<div class="wide"><table><caption>${caption}</caption>`,
    `<thead><tr>${cells(head, 'th')}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('\n')}</tbody></table></div>`,
  ].join('\n')
}
