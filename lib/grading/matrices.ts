/** Sums, products and multiples of matrices, worked out: `2\begin{pmatrix}1\\2\end{pmatrix}` is one matrix. */
import { type Expression, readExpression } from './expression.js'

type Matrix = Expression[][]

/** Rows and columns that a matrix may have, and matrices that a text may have. */
const LARGEST = 12
const MOST = 6

const MATRIX = /[([]?\s?\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}\s?[)\]]?/g

/** The entries, row by row; null for a text that is no matrix or too large, or whose sizes do not fit. */
export function readMatrix(text: string): Matrix | null {
  const found = text.length <= 3000 ? [...text.matchAll(MATRIX)] : []
  if (found.length === 0 || found.length > MOST) return null
  let sum: Matrix | null = null
  let product: Matrix | null = null
  let end = 0
  for (const match of found) {
    const matrix = entriesOf(match[1] as string)
    const [, sign, factor] = /^\s?([-+]?)\s?(.*?)\s?[*]?\s?$/s.exec(text.slice(end, match.index)) as RegExpExecArray
    const scaled = matrix && multiple(matrix, factor as string)
    if (!scaled) return null
    const signed: Matrix =
      sign === '-' ? scaled.map((row) => row.map((entry) => call('-', number('0'), entry))) : scaled
    if (product && sign === '' && factor === '') product = times(product, signed)
    else if (end === 0) product = signed
    else if (sign === '') return null
    else {
      sum = sum ? plus(sum, product as Matrix) : product
      product = signed
    }
    if (!product || (end > 0 && sign !== '' && !sum)) return null
    end = match.index + match[0].length
  }
  if (text.slice(end).trim() !== '') return null
  return sum ? plus(sum, product as Matrix) : product
}

function entriesOf(body: string): Matrix | null {
  const rows = body.split('\\\\').filter((row) => row.trim() !== '')
  const entries = rows.map((row) => row.split('&').map((entry) => readExpression(entry.trim())))
  const width = entries[0]?.length ?? 0
  const fits = entries.length <= LARGEST && width <= LARGEST && entries.every((row) => row.length === width)
  return fits && entries.flat().every((entry) => entry !== null) && width > 0 ? (entries as Matrix) : null
}

function multiple(matrix: Matrix, factor: string): Matrix | null {
  if (factor === '') return matrix
  const scalar = readExpression(factor)
  return scalar && matrix.map((row) => row.map((entry) => call('*', scalar, entry)))
}

function plus(a: Matrix, b: Matrix): Matrix | null {
  if (a.length !== b.length || a[0]?.length !== b[0]?.length) return null
  return a.map((row, i) => row.map((entry, j) => call('+', entry, b[i]?.[j] as Expression)))
}

function times(a: Matrix, b: Matrix): Matrix | null {
  if (a[0]?.length !== b.length) return null
  return a.map((row) =>
    (b[0] as Expression[]).map((_, j) =>
      row.map((entry, k) => call('*', entry, b[k]?.[j] as Expression)).reduce((sum, term) => call('+', sum, term)),
    ),
  )
}

function call(name: string, ...args: Expression[]): Expression {
  return { kind: 'call', name, args }
}

function number(text: string): Expression {
  return { kind: 'number', text }
}
