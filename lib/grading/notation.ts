/**
 * One notation for the many of one value: LaTeX, Unicode and words become plain signs. Bare braces group, as in LaTeX;
 * those of a set are ⦃ and ⦄.
 */

const SIGNS: [RegExp, string][] = [
  [/[−–﹣]/g, '-'],
  [/[×⋅·∗]|\\(?:cdot|times|ast)(?![A-Za-z])/g, '*'],
  [/÷|\\div(?![A-Za-z])/g, '/'],
  [/\\[dtc]frac(?![A-Za-z])/g, '\\frac'],
  [/\\[dt]binom(?![A-Za-z])/g, '\\binom'],
  [/\\(?:[lc]?dots|dotsc|dotsb)(?![A-Za-z])|…/g, '...'],
  [/\\(?:setminus|backslash)(?![A-Za-z])/g, '∖'],
  [/≤|⩽|\\leq?(?:slant)?(?![A-Za-z])|=</g, '<='],
  [/≥|⩾|\\geq?(?:slant)?(?![A-Za-z])/g, '>='],
  [/≠|\\neq?(?![A-Za-z])/g, '!='],
  [/\\lt(?![A-Za-z])/g, '<'],
  [/\\gt(?![A-Za-z])/g, '>'],
  [/≈|≃|≅|\\(?:approx|simeq|cong)(?![A-Za-z])/g, '≈'],
  [/[+]?∞|\+?\\infty?(?![A-Za-z])|\+?\binfinity\b/g, '∞'],
  [/\\pm(?![A-Za-z])|\+\/-|\+-/g, '±'],
  [/\\mp(?![A-Za-z])/g, '∓'],
  [/\\cup(?![A-Za-z])|(?<=[\])]\s?)U(?=\s?[[(])/g, '∪'],
  [/\\in(?![A-Za-z])/g, '∈'],
  [/\\pi(?![A-Za-z])/g, 'π'],
  [/√\s?(\d+)/g, '\\sqrt{$1}'],
  [/√/g, '\\sqrt'],
  [/\\(?:emptyset|varnothing)(?![A-Za-z])/g, '∅'],
  [/\\(?:mathbb|mathbf|Bbb)\s?\{?R\}?(?![A-Za-z])|ℝ|\ball real numbers\b/gi, '(-∞,∞)'],
  [/\\(?:lbrace(?![A-Za-z])|\{)/g, '⦃'],
  [/\\(?:rbrace(?![A-Za-z])|\})/g, '⦄'],
  [/\\langle(?![A-Za-z])|⟨/g, '('],
  [/\\rangle(?![A-Za-z])|⟩/g, ')'],
  [/\\[lr]?vert(?![A-Za-z])/gi, '|'],
  [/\\begin\{(?:[bB]|small)?matrix\}|\\begin\{array\}(?:\{[^{}]*\})?/g, '\\begin{pmatrix}'],
  [/\\end\{(?:[bB]|small)?matrix\}|\\end\{array\}/g, '\\end{pmatrix}'],
]

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'
const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉'
const VULGAR: Record<string, string> = {
  '½': '1/2',
  '⅓': '1/3',
  '⅔': '2/3',
  '¼': '1/4',
  '¾': '3/4',
  '⅕': '1/5',
  '⅛': '1/8',
}

const NUMBER_WORDS = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen twenty'
).split(' ')

/** Commands whose argument is the value: styles and text. */
const STYLE =
  /\\(?:text(?:bf|it|rm|tt|sf|normal)?|math(?:bf|rm|it|sf|tt|cal|bb|frak)|operatorname|boldsymbol|bm|mbox|boxed|fbox|emph|ensuremath|vec|mathop)\*?\s?\{([^{}]*)\}/g

/** Longer texts are compared as they stand: what they would be without their marks takes longer than linear time. */
const LONGEST = 5000

/** A value in plain signs, its case kept. */
export function plain(text: string): string {
  if (text.length > LONGEST) return text.replace(/\s+/g, ' ').trim()
  let value = unicode(text)
    .replace(/\s+/g, ' ')
    .replace(/\\(?:left|right|[bB]igg?[lrm]?|displaystyle|textstyle|limits|nolimits|rm|bf|tt)(?![A-Za-z])\.?/g, '')
    .replace(/,\\!\s*(?=\d{3})|(?<=\d)\s?\{\s?,\s?\}\s?(?=\d)|\{,\}/g, ',')
    .replace(/(?<=\d)(?:\\[,!;: ]|~)\s?(?=\d{3}(?!\d))/g, '')
    .replace(/(?<!\\)\\(?:qquad|quad|[,!;:> ])|~/g, ' ')
    .replace(/\^\s?\{?\s?(?:\\circ|◦)\s?\}?|°|\\degree(?![A-Za-z])/g, '')
  for (const [pattern, sign] of SIGNS) value = value.replace(pattern, sign)
  value = value
    .replace(/⦃\s*⦄/g, '∅')
    .replace(/\\begin\{cases\}(.*?)\\end\{cases\}/, (_, rows: string) => rows.replaceAll('\\\\', ', '))
  value = aligned(value)
  // The content of a style may have one, and what remains of a power or an index keeps its braces.
  for (let i = 0; i < 4; i++) value = value.replace(STYLE, ' $1 ')
  value = repeating(value)
    .replace(/(?<=\d)\s?_\s?(?:\{\s?([a-z]+)\s?\}|([a-z]+)(?![a-z]))/g, (all, ...words) => baseMark(words) ?? all)
    .replace(/(?<=\d)\s?_\s?(?:\{\s?10\s?\}|10(?!\d))/g, '')
    .replace(/\\?\$|[€£¥₹]|\\(?:euro|pounds)(?![A-Za-z])/g, ' ')
    .replace(/\\\(|\\\)|(?<!\\)\\[[\]]/g, ' ')
    .replace(/\\?%|\b(?:percent|pct|per cent)\b/g, '%')
    .replace(/(?<=\d)\s?\^?\s?\{?\s?(?:st|nd|rd|th)\b\s?\}?/g, '')
    .replace(/(?<=[\w)]) ?\*\* ?(?=[\w({-])/g, '^')
    .replace(/\*\*|`/g, '')
  return tidy(value)
}

/** Rows that go on with an equals sign are one chain, others a list. */
function aligned(text: string): string {
  return text.replace(
    /\\begin\{(align(?:ed)?|gather(?:ed)?|equation|split)\*?\}(.*?)\\end\{\1\*?\}/g,
    (_, __, rows: string) =>
      rows
        .replaceAll('&', '')
        .replace(/(?:\\\\\s*)+$/, '')
        .replace(/\s*\\\\\s*(?==)/g, ' ')
        .replaceAll('\\\\', ', '),
  )
}

/** A repeating decimal as a fraction: `0.1\overline{6}` is 15/90. */
function repeating(text: string): string {
  return text.replace(
    /(?<![\d.])(\d{1,20})?\.(\d{0,20})\s?\\(?:overline|bar|dot)\s?\{?\s?(\d{1,20})\s?\}?(?!\s?\\dot|\d)/g,
    (_, whole = '0', start: string, period: string) => {
      const [all, once] = [BigInt(whole + start + period), BigInt(whole + start)]
      return `\\frac{${all - once}}{${'9'.repeat(period.length)}${'0'.repeat(start.length)}}`
    },
  )
}

/** `1011_{two}`. */
function baseMark(words: (string | undefined)[]): string | undefined {
  const base = NUMBER_WORDS.indexOf(words[0] ?? words[1] ?? '')
  return base < 0 ? undefined : `_{${base}}`
}

/** Without marks around a value: spaces, quotes, a sentence's end, an equals sign that names nothing. */
function tidy(text: string): string {
  let value = text.replace(/\s+/g, ' ').trim()
  for (let before = ''; before !== value; ) {
    before = value
    value = withoutEnd(value)
      .replace(/^(["'“‘])([^"'“”‘’]*)["'”’]$/, '$2')
      .replace(/^(?:=|≈|:|\b(?:approximately|about|roughly|exactly|around)\b)\s*/i, '')
      .trim()
  }
  const number = NUMBER_WORDS.indexOf(value.toLowerCase())
  return number >= 0 ? String(number) : value
}

/** Without a sentence's end; `5!` is a value. */
function withoutEnd(text: string): string {
  let end = text.length
  while (
    end > 0 &&
    (' .,;:。'.includes(text[end - 1] as string) || /[\p{L}\s"'*][\p{L}"'*]!$/u.test(text.slice(0, end).slice(-3)))
  )
    end--
  return text.slice(0, end)
}

function unicode(text: string): string {
  return text
    .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (digits) => `^{${[...digits].map((digit) => SUPERSCRIPTS.indexOf(digit)).join('')}}`)
    .replace(/[₀₁₂₃₄₅₆₇₈₉]+/g, (digits) => `_{${[...digits].map((digit) => SUBSCRIPTS.indexOf(digit)).join('')}}`)
    .replace(/(\d?)\s?([½⅓⅔¼¾⅕⅛])/g, (_, before: string, sign: string) => `${before}${before && ' '}${VULGAR[sign]}`)
    .normalize('NFKC')
    .replace(/(?<=\S)[。．]$/u, '')
    .replace(/[，、]/g, ',')
    .replace(/；/g, ';')
}

/** For comparing as text: spaces count between words and between numbers only, case and braces of one sign do not. */
export function compact(value: string): string {
  return value
    .toLowerCase()
    .replace(/ ?([^\p{L}\p{N} ]) ?/gu, '$1')
    .replace(/(?<=[_^])\{([\p{L}\p{N}])\}/gu, '$1')
    .replace(/(\\[a-z]+) (?=\{|\\|\d)/g, '$1')
}

/** Words after a number that do not say what it counts. */
const NO_UNIT =
  /\b(?:and|or|not|no|more|less|than|to|plus|minus|times|over|half|quarter|point|mod|base|of|dozen|hundred|thousand|million|billion|trillion|squared|cubed|between|pi|sqrt|sin|cos|tan|log|ln|if|only|each|except)\b/i

const SHORT_UNIT = /^(?:m|g|s|h|l|L|V|A|N|J|W|K|C|F|in|ft|km|cm|mm|kg|mg|ml|mL|mph)$/

const MULTIPLES: Record<string, string> = {
  hundred: '00',
  thousand: '000',
  million: '000000',
  billion: '000000000',
  trillion: '000000000000',
}

/** A number and what it counts: `25 cm^2`, `12 apples`. The unit of what has none is ''. */
export function splitUnit(value: string): { amount: string; unit: string } {
  const multiple = /^([-+]?\d+) (hundred|thousand|million|billion|trillion)\b ?(.*)$/i.exec(value)
  if (multiple)
    return {
      amount: `${multiple[1]}${MULTIPLES[(multiple[2] as string).toLowerCase()]}`,
      unit: unitName(multiple[3] as string),
    }
  const match = /^(.{0,200}?[\d)}π%])( ?)([A-Za-z][A-Za-z. /]{0,60}(?:\^ ?\{? ?-?[1-3] ?\}?)?(?: ?\/ ?[a-z]+)?)$/.exec(
    value,
  )
  if (!match) return { amount: value, unit: '' }
  const [, amount, space, unit] = match as unknown as [string, string, string, string]
  const word = unit.split(/[\s^/.]/)[0] as string
  const isUnit = word.length > 1 ? space !== '' || SHORT_UNIT.test(word) : space !== '' && SHORT_UNIT.test(word)
  if (
    !isUnit ||
    // `dx` ends an integral.
    amount.includes('\\int') ||
    NO_UNIT.test(unit) ||
    unit.split(' ').length > 4 ||
    /[A-Za-z]{2}/.test(amount.replace(/\\[a-z]+/g, ''))
  ) {
    return { amount: value, unit: '' }
  }
  return { amount, unit: unitName(unit) }
}

const UNIT_NAMES: Record<string, string> = {
  centimeter: 'cm',
  meter: 'm',
  metre: 'm',
  kilometer: 'km',
  millimeter: 'mm',
  foot: 'ft',
  feet: 'ft',
  inche: 'in',
  inch: 'in',
  gram: 'g',
  kilogram: 'kg',
  second: 's',
  sec: 's',
  hour: 'h',
  hr: 'h',
  minute: 'min',
  liter: 'l',
  litre: 'l',
}

function unitName(unit: string): string {
  const name = unit
    .toLowerCase()
    .replace(/[\s{}.]/g, '')
    .replace(/^(?:degree|unit|dollar|cent|euro|buck|usd|rupee)s?$/, '')
  const singular = name.replace(/s$/, '')
  return UNIT_NAMES[name] ?? UNIT_NAMES[singular] ?? singular
}
