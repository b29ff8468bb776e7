/** The style and the script of the page, from the small files in browser/, and the policy that allows these and nothing else. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { INK, type PALETTE } from '../../base/svg.js'

/** What comes later wins. */
const STYLES = ['style.css', 'items.css', 'item.css', 'print.css']
/** In the order in which one needs the other. */
const SCRIPTS = ['text.js', 'filter.js', 'table.js', 'item.js', 'main.js']

/** Of the drawings' colors on a dark ground: as light as the others are dark. */
const DARK_INK = { text: '#e6e6e6', faint: '#a0a4ab', axis: '#7b8089', grid: '#33373f' } satisfies Record<
  keyof typeof INK,
  string
>
const DARK_PALETTE: Record<(typeof PALETTE)[number], string> = {
  '#0072b2': '#56b0ee',
  '#d55e00': '#ff8a3d',
  '#009e73': '#2cc79a',
  '#cc79a7': '#e79fca',
  '#e69f00': '#f2b742',
  '#56b4e9': '#8fd3f7',
}
const GROUND = { light: '#fff', dark: '#17191e' }

export interface Assets {
  style: string
  script: string
  /** For `Content-Security-Policy`. */
  policy: string
}

export function readAssets(): Assets {
  const style = [...STYLES.map(read), drawingColors()].join('\n')
  // One scope instead of modules, which a page from a disk cannot load.
  const modules = SCRIPTS.map((name) =>
    read(name)
      .replace(/^import .*\n/gm, '')
      .replace(/^export /gm, ''),
  )
  const script = `(() => {\n'use strict'\n${modules.join('\n')}\n})()`
  const policy = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    `script-src ${hashOf(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ]
  return { style, script, policy: policy.join('; ') }
}

/** Drawings have their colors as attributes, for programs that know no style sheet; in the page they follow its theme. */
function drawingColors(): string {
  const colors = [
    [GROUND.light, GROUND.dark],
    ...Object.entries(INK).map(([name, color]) => [color, DARK_INK[name as keyof typeof INK]]),
    ...Object.entries(DARK_PALETTE),
  ]
  return colors
    .map(([light, dark]) => {
      const rule = (name: string) =>
        `svg[${name}="${light}"], svg [${name}="${light}"] { ${name}: light-dark(${light}, ${dark}) }`
      return `${rule('fill')}\n${rule('stroke')}`
    })
    .join('\n')
}

function read(name: string): string {
  return readFileSync(new URL(`./browser/${name}`, import.meta.url), 'utf8')
}

function hashOf(content: string): string {
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`
}
