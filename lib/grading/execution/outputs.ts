/** Whether a program printed what a test expects, as LiveCodeBench's grader sees it. */

/**
 * Line by line, without white space at the ends of lines and of the whole: the same text, or the same numbers, compared
 * exactly as decimals (`1.50` is `1.5`, and 50000000000000000 is not 50000000000000001).
 */
export function sameOutput(output: string, expected: string): boolean {
  const [lines, wanted] = [linesOf(output), linesOf(expected)]
  return lines.length === wanted.length && lines.every((line, i) => sameLine(line, wanted[i] as string))
}

function linesOf(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim())
}

function sameLine(line: string, wanted: string): boolean {
  if (line === wanted) return true
  const [numbers, others] = [line.split(/\s+/), wanted.split(/\s+/)].map((words) => words.map(decimalOf))
  if (!numbers || !others || numbers.length !== others.length) return false
  return numbers.every((number, i) => number !== undefined && number === others[i])
}

/** One text for all ways to write a decimal; undefined for what is none. */
function decimalOf(word: string): string | undefined {
  const [, sign, digits, fraction = '', exponent = '0'] =
    /^([+-]?)(?=\.?\d)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,9}))?$/i.exec(word.replace(/_/g, '')) ?? []
  if (digits === undefined) return infinityOf(word)
  const all = `${digits}${fraction}`.replace(/^0+/, '')
  const significant = all.replace(/0+$/, '')
  if (significant === '') return '0'
  const power = Number(exponent) - fraction.length + all.length - significant.length
  return `${sign === '-' ? '-' : ''}${significant}e${power}`
}

function infinityOf(word: string): string | undefined {
  const [, sign] = /^([+-]?)inf(?:inity)?$/i.exec(word) ?? []
  return sign === undefined ? undefined : `${sign === '-' ? '-' : ''}inf`
}
