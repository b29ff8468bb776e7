/** Fenced code in a response. */

export interface CodeBlock {
  /** What stands after the opening fence, in lower case; '' for nothing. */
  tag: string
  code: string
}

/**
 * All fences of a text, in Markdown's sense: three or more backticks or tildes, closed by as many of the same. One that the text
 * ends in is closed there. A fence of Markdown that holds nothing but the start of another is that other one: models write so
 * when they are asked for a Markdown code block.
 */
export function codeBlocks(text: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { fence: string; indent: number; tag: string; lines: string[] } | undefined
  for (const line of text.split('\n')) {
    const [, space = '', fence = '', info = ''] = /^([ \t]*)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    const wraps = open?.lines.length === 0 && /^(?:markdown|md)$/.test(open.tag)
    if (open && !(wraps && fence !== '')) {
      if (fence.startsWith(open.fence) && info.trim() === '') {
        blocks.push(blockOf(open))
        open = undefined
      } else {
        open.lines.push(line.slice(Math.min(open.indent, /^[ \t]*/.exec(line)?.[0].length ?? 0)))
      }
    } else if (fence !== '' && !(fence.startsWith('`') && info.includes('`'))) {
      // Backticks after the fence would make it code inside a line.
      open = { fence, indent: space.length, tag: tagOf(info), lines: [] }
    }
  }
  if (open) blocks.push(blockOf(open))
  return blocks
}

function tagOf(info: string): string {
  return /^[^\s{,]*/.exec(info.trim())?.[0].toLowerCase() ?? ''
}

function blockOf({ tag, lines }: { tag: string; lines: string[] }): CodeBlock {
  return { tag, code: lines.join('\n') }
}
