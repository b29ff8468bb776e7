/** The numbers in a text: problems that differ in them are different problems. */
import { normalize } from './text.js'

const ENGLISH = new Map<string, number>([
  ...words(
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen',
    0,
    1,
  ),
  ...words('seventeen eighteen nineteen', 17, 1),
  ...words('twenty thirty forty fifty sixty seventy eighty ninety', 20, 10),
  ...words('hundred', 100, 0),
  ...words('thousand', 1000, 0),
  ...words('million', 1e6, 0),
  ...words('billion', 1e9, 0),
])

const HAN = new Map<string, number>(words('〇 一 二 三 四 五 六 七 八 九 十', 0, 1))

const HAN_SIGN = `[${[...HAN.keys()].join('')}零两兩百千万萬亿億]`

const NUMBER = new RegExp(
  [
    // A sign counts where it joins nothing: not in 12-35, nor in x-3.
    String.raw`(?:(?<![\p{L}\p{N})\]])-)?\p{Nd}+(?:\.\p{Nd}+)?`,
    `(?<!\\p{L})(?:${[...ENGLISH.keys()].join('|')})(?!\\p{L})`,
    `${HAN_SIGN}+`,
  ].join('|'),
  'gu',
)

/** Often no number: one of them, 一起. */
const ONE = new Set(['one', '一'])

/** In their order, as decimal text where they are digits or single words: `3`, `three` and 三 are `3`. */
export function numbersOf(text: string): string[] {
  const plain = normalize(text)
    .replaceAll('−', '-')
    .replace(/(?<=\d),(?=\d{3}(?!\d))/g, '')
  const found = (plain.match(NUMBER) ?? []).filter((number) => !ONE.has(number))
  return found.map((number) => String(ENGLISH.get(number) ?? HAN.get(number) ?? number))
}

/** Words whose values begin with `first` and go on by `step`. */
function words(list: string, first: number, step: number): [word: string, value: number][] {
  return list.split(' ').map((word, i) => [word, first + i * step])
}
