/** Fenced code in a response. */

export interface CodeBlock {
  /** What stands after the opening fence, in lower case; '' for nothing. */
  tag: string
  code: string
}

/**
 * All fences of a text, in Markdown's sense: three or more backticks or tildes, closed by as many of the same. One that the text
 * ends in is closed there.
 */
export function codeBlocks(text: string): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { fence: string; indent: number; tag: string; lines: string[] } | undefined
  for (const line of text.split('\n')) {
    const [, space = '', fence = '', info = ''] = /^([ \t]*)(`{3,}|~{3,})(.*)$/.exec(line) ?? []
    if (!open) {
      // Backticks after the fence make it code inside a line.
      if (fence === '' || (fence.startsWith('`') && info.includes('`'))) continue
      open = {
        fence,
        indent: space.length,
        tag:
          info
            .trim()
            .split(/[\s{,]/, 1)[0]
            ?.toLowerCase() ?? '',
        lines: [],
      }
    } else if (fence.startsWith(open.fence) && info.trim() === '') {
      blocks.push(blockOf(open))
      open = undefined
    } else {
      open.lines.push(line.slice(Math.min(open.indent, /^[ \t]*/.exec(line)?.[0].length ?? 0)))
    }
  }
  if (open) blocks.push(blockOf(open))
  return blocks
}

function blockOf({ tag, lines }: { tag: string; lines: string[] }): CodeBlock {
  return { tag, code: lines.join('\n') }
}
