/** Drawings are XML whatever their texts hold, and values stand where the scale puts them. */
import { describe, expect, it } from 'vitest'
import { escapeXml, horizontalLines, rect, svgDocument, text, upwardText, valuesBelow } from '../../lib/base/svg.js'

const plot = { left: 10, right: 110, top: 20, bottom: 70 }

describe('svgDocument', () => {
  it('frames its parts', () => {
    const svg = svgDocument({ width: 200, height: 100, title: 'A & B', titleAt: [5, 6] }, ['<g/>', '<path/>'])
    expect(svg).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 200 100" width="200" height="100"\n/,
    )
    expect(svg).toContain('\n<title>A &#38; B</title>\n')
    expect(svg).toMatch(/<text x="5" y="6"[^>]*>A &#38; B<\/text>\n<g\/>\n<path\/>\n<\/svg>\n$/)
  })
})

describe('elements', () => {
  it('are rounded to tenths', () => {
    expect(text(1.04, 2.06, 'x')).toBe('<text x="1" y="2.1">x</text>')
    expect(rect(0.123, 1, 2.98, 3.333, '#fff')).toBe('<rect x="0.1" y="1" width="3" height="3.3" fill="#fff"/>')
  })

  it('escape what they show', () => {
    for (const element of [text(0, 0, '<a href="&">'), upwardText(0, 0, '<a href="&">')]) {
      expect(element).toContain('>&#60;a href=&#34;&#38;&#34;&#62;<')
    }
    expect(escapeXml('a\u0000\u001fb\ud800c🙂\uffff')).toBe('a  b c🙂 ')
    expect(escapeXml('a\u202eb\u2066c\u2028d\u009be\u200df')).toBe('a b c d e\u200df')
  })
})

describe('axes', () => {
  it('have a line and a label at each value', () => {
    const y = (share: number) => 70 - 50 * share
    const lines = horizontalLines([0, 0.5, 1], y, plot, (share) => `${100 * share}%`)
    expect(lines.map((line) => /M10 ([\d.]+)H110/.exec(line)?.[1])).toEqual(['70', '45', '20'])
    expect(lines.map((line) => /text-anchor="end">(.*)<\/text>/.exec(line)?.[1])).toEqual(['0%', '50%', '100%'])
    // The line at 0 is the axis.
    expect(new Set(lines.map((line) => /stroke="(.*?)"/.exec(line)?.[1])).size).toBe(2)
  })

  it('have lines through the plot, or marks under it', () => {
    const x = (value: number) => 10 + value
    const through = valuesBelow([0, 100], x, plot, 'lines', String)
    expect(through.map((line) => /d="(.*?)"/.exec(line)?.[1])).toEqual(['M10 20V70', 'M110 20V70'])
    const marks = valuesBelow([0, 100], x, plot, 'marks', String)
    expect(marks.map((line) => /d="(.*?)"/.exec(line)?.[1])).toEqual(['M10 70v5', 'M110 70v5'])
    expect(marks.map((line) => />(\d+)<\/text>/.exec(line)?.[1])).toEqual(['0', '100'])
  })
})
