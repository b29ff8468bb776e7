/** Drawings as SVG: the frame, texts, paths, axes, and the colors that all drawings share. Knows no data. */

/** Okabe and Ito's: told apart by color-blind readers too. */
export const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9'] as const

export const INK = { text: '#222', faint: '#666', axis: '#888', grid: '#e4e4e4' } as const

export interface Frame {
  width: number
  height: number
  title: string
  /** Where the title begins. */
  titleAt: readonly [x: number, y: number]
}

/** A whole document: white ground, the title, and the parts, each one or several elements. */
export function svgDocument({ width, height, title, titleAt: [x, y] }: Frame, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="${INK.text}">`,
    `<title>${escapeXml(title)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(x, y, title, 'font-size="17" font-weight="600"'),
    ...parts,
    '</svg>\n',
  ].join('\n')
}

/** @param attributes More of them, as they stand in the element. */
export function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${escapeXml(content)}</text>`
}

/** Text that runs upwards, with its middle at (x, y): the name of a vertical axis. */
export function upwardText(x: number, y: number, content: string): string {
  return `<text transform="translate(${x} ${y}) rotate(-90)" text-anchor="middle">${escapeXml(content)}</text>`
}

export function path(d: string, stroke: string, attributes = ''): string {
  return `<path d="${d}" stroke="${stroke}"${attributes && ` ${attributes}`}/>`
}

export function rect(x: number, y: number, width: number, height: number, fill: string, attributes = ''): string {
  const place = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`
  return `<rect ${place} fill="${fill}"${attributes && ` ${attributes}`}/>`
}

/** The part of a drawing in which values stand. */
export interface Plot {
  left: number
  right: number
  top: number
  bottom: number
}

type Scale = (value: number) => number

/** Lines across the plot, each with its value to the left; the one at 0 is the axis. */
export function horizontalLines(
  ticks: readonly number[],
  y: Scale,
  { left, right }: Plot,
  label: (tick: number) => string,
): string[] {
  return ticks.map((tick) => {
    const at = round(y(tick))
    const line = path(`M${left} ${at}H${right}`, tick === 0 ? INK.axis : INK.grid)
    return line + text(left - 8, at + 4.5, label(tick), 'text-anchor="end"')
  })
}

/** Values under the plot: lines through it (`lines`), or marks below it (`marks`). */
export function valuesBelow(
  ticks: readonly number[],
  x: Scale,
  { top, bottom }: Plot,
  style: 'lines' | 'marks',
  label: (tick: number) => string,
): string[] {
  return ticks.map((tick) => {
    const at = round(x(tick))
    const line = style === 'lines' ? path(`M${at} ${top}V${bottom}`, INK.grid) : path(`M${at} ${bottom}v5`, INK.axis)
    return line + text(at, bottom + 20, label(tick), 'text-anchor="middle"')
  })
}

/** Tenths of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Control characters, which XML cannot hold, line separators, and marks that turn the direction of what stands around them. */
const UNSEEN = /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]/gu

/** What cannot be seen becomes spaces. */
export function escapeXml(content: string): string {
  return content.replace(UNSEEN, ' ').replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
