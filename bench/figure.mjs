// The ratios of all benchmarks in one figure: bars on a logarithmic axis, to the right of 1 where z1-native is better.

const ROW = 22
const LEFT = 430
const RIGHT = 70
const AXIS = 400
const TOP = 34

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

/** SVG of rows `{ what, peer, times }`. */
export function figureOf(rows) {
  const bound = Math.max(2, ...rows.map(({ times }) => Math.max(times, 1 / times)))
  const x = (times) => LEFT + (AXIS / 2) * (1 + Math.log(times) / Math.log(bound))
  const height = TOP + rows.length * ROW + 10
  const ticks = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64].filter((tick) => tick <= bound && 1 / tick <= bound)
  const lines = ticks.flatMap((tick) => [
    `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${TOP - 6}" y2="${height - 8}" class="${tick === 1 ? 'one' : 'tick'}"/>`,
    `<text x="${x(tick).toFixed(1)}" y="${TOP - 12}" text-anchor="middle">${tick} ×</text>`,
  ])
  const bars = rows.flatMap(({ what, peer, times }, i) => {
    const [from, to] = [x(1), x(times)].toSorted((a, b) => a - b)
    const y = TOP + i * ROW
    return [
      `<text x="${LEFT - 12}" y="${y + 14}" text-anchor="end">${escaped(`${what}, against ${peer}`)}</text>`,
      `<rect x="${from.toFixed(1)}" y="${y + 3}" width="${Math.max(1, to - from).toFixed(1)}" height="${ROW - 8}" class="${times < 1 ? 'less' : 'more'}"/>`,
      `<text x="${LEFT + AXIS + 8}" y="${y + 14}">${times.toFixed(2)}</text>`,
    ]
  })
  const style =
    'text{font:12px system-ui,sans-serif;fill:#333}.tick{stroke:#ddd}.one{stroke:#777}.more{fill:#2a78c2}.less{fill:#d08a2e}' +
    '@media(prefers-color-scheme:dark){text{fill:#ddd}.tick{stroke:#444}.one{stroke:#999}}'
  const size = `width="${LEFT + AXIS + RIGHT}" height="${height}" viewBox="0 0 ${LEFT + AXIS + RIGHT} ${height}"`
  const title = '<title>How many times as fast z1-native is</title>'
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size}>`,
    title,
    `<style>${style}</style>`,
    ...lines,
    ...bars,
    '</svg>',
    '',
  ].join('\n')
}
