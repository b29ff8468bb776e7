/**
 * The verdicts of math-verify, the field's grader, on pairs by kind (math-verify.json, made by oracle.py). Where this grader
 * judges otherwise, the pair is listed with what mathematics says.
 */
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadSymbolic, sameAnswer } from '../../dist/eval/index.js'

type Case = [gold: string, given: string, verdict: boolean]

const tex = String.raw
const { verdicts } = JSON.parse(readFileSync(new URL('math-verify.json', import.meta.url), 'utf8')) as {
  verdicts: Record<string, Case[]>
}

/** Equal, though math-verify says no. */
const EQUAL: Record<string, [string, string][]> = {
  'signs and brackets of one meaning': [
    [tex`$\emptyset$`, tex`$\varnothing$`],
    [tex`$\lbrace 4,5 \rbrace$`, tex`$\{4, 5\}$`],
    ['$(1, 2)$', tex`$\langle 1, 2\rangle$`],
    [tex`$\begin{pmatrix}1\\2\\3\end{pmatrix}$`, '$(1,2,3)$'],
    [tex`$\text{Monday}$`, 'Monday'],
    [tex`$\text{undefined}$`, 'undefined'],
    ['$5$', tex`\fbox{5}`],
    [tex`$\sqrt{12}$`, '2√3'],
    ['$6-5i$', '$6 - 5 i$'],
    [tex`$\frac73$`, '2 1/3'],
    [tex`$3 \times 10^5$`, '$3e5$'],
    ['$1000000$', '1 million'],
    [tex`$1\,234$`, '$1234$'],
    [tex`$1\ 000\ 000$`, '$1000000$'],
    ['$1,234$', '$1, 234$'],
  ],
  'one set of numbers': [
    [tex`$(2,\infty)$`, '$x > 2$'],
    [tex`$[2,\infty)$`, tex`$x \ge 2$`],
    [tex`$(-\infty,3]$`, tex`$x \leq 3$`],
    ['$[1,2]$', tex`$1 \le x \le 2$`],
    [tex`$\left(-\infty, -2\right] \cup \left[2, \infty\right)$`, tex`$x \le -2 \text{ or } x \ge 2$`],
    [tex`$x \in (0, 1)$`, '$0 < x < 1$'],
    ['$0<x<1$', '$1>x>0$'],
    ['$x<1$ or $x>3$', tex`$(-\infty,1)\cup(3,\infty)$`],
    ['$2x>6$', '$x>3$'],
    ['$a<b<c$', '$c>b>a$'],
  ],
  'one value': [
    [tex`$x=\frac{1}{3}$`, '$x = 0.333333$'],
    [tex`$\frac{-1\pm\sqrt{5}}{2}$`, tex`$\frac{-1+\sqrt{5}}{2}, \frac{-1-\sqrt{5}}{2}$`],
    [tex`$0.\overline{3}$`, tex`$\frac13$`],
    [tex`$0.\overline{12}$`, tex`$\frac{4}{33}$`],
    [tex`$0.1\overline{6}$`, tex`$\frac16$`],
    [tex`$1.\overline{27}$`, tex`$\frac{14}{11}$`],
    [tex`$0.\dot{3}$`, tex`$\frac13$`],
    [tex`$0.\overline{9}$`, '$1$'],
    [tex`$\sqrt{x^2+2x+1}$`, '$|x+1|$'],
  ],
  'the last box': [
    ['$5$', tex`First \boxed{3}, then we correct it: \boxed{5}.`],
    ['$2$', tex`The cases give \boxed{1} for a, and for b we get \boxed{2}`],
  ],
  'signs that say nothing': [
    ['$-7$', 'The answer is: −7'],
    ['$6$', 'The final answer is `6`'],
    [tex`$x\ge3$`, 'x ≥ 3'],
    ['$3$', tex`\boxed{3.}`],
    [tex`$\text{3 hours}$`, '3'],
    [tex`$\vec{v}$`, '$v$'],
    ['$2$', 'two'],
    ['$120$', '5!'],
    [tex`$\ln 2$`, tex`$\log_e 2$`],
    ['$A$', tex`\boxed{\text{(A) } 5}`],
    ['$[1,2]$', tex`\boxed{1 \le x \le 2}`],
  ],
  'values of the same unknowns': [
    ['$x=1,y=2$', tex`$\begin{cases}x=1\\y=2\end{cases}$`],
    [tex`$\begin{cases}x=1\\y=2\end{cases}$`, '$x=1, y=2$'],
    ['$x_1=2, x_2=3$', '$x=2$ or $x=3$'],
    ['$a=1$; $b=2$', '$a=1,b=2$'],
    ['$m=n=2$', '$m=2, n=2$'],
  ],
}

/** Equal, but only the symbolic engine finds it; math-verify does not. */
const EQUAL_BY_SYMBOLS: [string, string][] = [
  ['$(1+i)^2$', '$2i$'],
  ['$i$', tex`$\sqrt{-1}$`],
  [tex`$\frac{1}{i}$`, '$-i$'],
  ['$|3+4i|$', '$5$'],
  [tex`$e^{i\pi}$`, '$-1$'],
  ['$i^2$', '$-1$'],
  [tex`$\cos\theta+i\sin\theta$`, tex`$e^{i\theta}$`],
  [tex`$7 \bmod 3$`, '$1$'],
]

/**
 * Different, though math-verify says yes: it does not look at the line over digits, nor at the base, drops what follows, and takes the
 * last number of a sentence.
 */
const DIFFERENT: [string, string][] = [
  [tex`$0.\overline{57}$`, tex`$0.\overline{75}$`],
  ['$204_5$', '$204_6$'],
  ['$10:30$ a.m.', '$10:30$'],
  ['$42$', '42!'],
  ['$9$', '8 and not 9'],
]

/** Equal for math-verify and here, but here only by the symbolic engine. */
const SYMBOLIC = 'sums, integrals and the like'
/** Its terms do not end, and how many are summed within the time limit is the machine's. */
const ENDLESS = tex`\sum_{n=1}^{\infty}`

const key = (gold: string, given: string) => JSON.stringify([gold, given])
const equal = new Set(Object.values(EQUAL).flatMap((pairs) => pairs.map((pair) => key(...pair))))
const bySymbols = new Set(EQUAL_BY_SYMBOLS.map((pair) => key(...pair)))
const different = new Set(DIFFERENT.map((pair) => key(...pair)))

const cases = Object.entries(verdicts).flatMap(([kind, pairs]) =>
  pairs
    .filter(([, given]) => !given.includes(ENDLESS))
    .map(([gold, given, verdict]) => {
      const judged = equal.has(key(gold, given)) || (verdict && !different.has(key(gold, given)))
      const needsEngine = bySymbols.has(key(gold, given)) || (kind === SYMBOLIC && verdict)
      return { kind, gold, given, judged, needsEngine }
    }),
)

describe('without the symbolic engine', () => {
  it.each(cases.filter(({ needsEngine }) => !needsEngine))('$kind: $gold, $given: $judged', (pair) => {
    expect(sameAnswer(pair.gold, pair.given, { anyOrder: true })).toBe(pair.judged)
  })
})

describe('with it', () => {
  beforeAll(async () => {
    expect(await loadSymbolic()).toMatch(/^\d+\.\d+\.\d+$/)
  })

  it.each(cases)('$kind: $gold, $given', ({ gold, given, judged, needsEngine }) => {
    expect(sameAnswer(gold, given, { anyOrder: true })).toBe(judged || needsEngine)
  })
})

it('every pair that is judged otherwise is among the cases', () => {
  const all = new Map(Object.values(verdicts).flatMap((cases) => cases.map(([a, b, verdict]) => [key(a, b), verdict])))
  for (const pair of [...equal, ...bySymbols]) expect([pair, all.get(pair)]).toEqual([pair, false])
  for (const pair of different) expect([pair, all.get(pair)]).toEqual([pair, true])
})
