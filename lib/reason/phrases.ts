/** Final-answer phrases, in English and in the other languages that models answer in. In time linear in the text. */
import type { Statement } from './boxes.js'
import { clean, valueAt } from './values.js'

/** Phrases that are looked at, from the end of the text on: more of them are nonsense. */
const MOST_PHRASES = 100

/** What follows the last phrase that states a value. */
export function lastPhrase(text: string): Statement | null {
  const found = [...text.matchAll(PHRASE)].slice(-MOST_PHRASES)
  let unsure: Statement | null = null
  for (const match of found.reverse()) {
    const start = match.index
    if (match[1] !== undefined) {
      if (isHeadedValue(match[1])) return { value: clean(match[1]), start, end: start + match[0].length }
      continue
    }
    if (match[2] !== undefined) {
      const value = clean(match[2])
      if (value) return { value, start, end: start + match[0].length }
      continue
    }
    // Within a sentence that is broken into lines it is the last word of one.
    if (/^\s*answer$/.test(match[0])) continue
    if (CONDITION.test(text.slice(Math.max(0, start - 30), start))) continue
    const at = start + match[0].length
    const filler = FILLER.exec(text.slice(at, at + 40))
    const stated = valueAt(text, at + (filler ? filler[0].length : 0))
    if (!stated || stated.asked || REMARK.test(stated.value)) continue
    const statement = { value: computed(stated.value), start, end: stated.end }
    // A side, or a remark on what was stated before.
    if (!/^right$/i.test(stated.value)) return statement
    unsure ??= statement
  }
  return unsure
}

/** Of a sum that is worked out (`12 + 13 = 25`) the result. */
export function computed(value: string): string {
  const equals = value.lastIndexOf('=')
  if (equals <= 0 || equals > 400) return value
  const [left, right] = [value.slice(0, equals).trim(), value.slice(equals + 1).trim()]
  const sum = left.replace(/\\(?:times|cdot|div)\b/g, '*')
  if (!/^[\d\s.,+\-*/^()×·÷−=]+$/.test(sum) || !/\d/.test(sum) || right === '') return value
  // `25 = 12 + 13` is turned around.
  const isTurned = /^[-−]?[\d.,]+$/.test(left) && /\d\s*[+*/×·÷−-]\s*\d/.test(right)
  return clean(isTurned ? left : right)
}

/** GSM8K's `#### 72`; other headings of that depth are text. */
function isHeadedValue(text: string): boolean {
  const value = clean(text)
  if (/^[A-J]$/.test(value)) return true
  return /^[-+$€£¥−]?\s?[\d.(\\]/u.test(value) && !/^\d+[.):]\s/.test(value) && !/\p{L}{2,}\s+\p{L}{2,}/u.test(value)
}

/** Before a phrase: it states nothing then. */
const CONDITION = /(?<!\p{L})(?:if|whether|unless|suppose|assume|assuming|when|until|once|that)\s+(?:that\s+)?$/iu

/** After a phrase: the value comes later. */
const FILLER =
  /^[\s:：,]{0,4}(?:(?:approximately equal to|therefore|thus|then|hence|simply|just|indeed|still|now|clearly|also|actually|exactly|equal to|given by|given as|as follows|:|definitely|probably|likely)(?![\p{L}-])[\s,:]{0,3}){1,2}/iu

/** What is said of an answer and is none. */
const REMARK =
  /^(?:(?:in|not )?correct|wrong|unclear|unknown|undetermined|not|clear|obvious|known|verified|confirmed|consistent|obtained|found|derived|based|below|above|here|reasonable|simple|easy|that (?:it|we|this) (?:is|are) (?:in)?correct|supposed|expected|required|needed|always|already|right(?=[,;]|\s+(?:because|but|since|and)\b))(?!\p{L})/iu

const EMPHASIS = String.raw`(?:\*\*|__)?`
const IS = String.raw`(?:is|was|(?:should|would|must|will|can only|has to)(?:[ \t](?:therefore|thus|then|hence))?[ \t]be|equals|(?:comes|works)(?:[ \t]out)?[ \t]to(?:[ \t]be)?|turns[ \t]out[ \t]to[ \t]be|are)`
const COLON = String.raw`[ \t]{0,4}${EMPHASIS}[ \t]{0,4}[:：=]`

const PHRASE = new RegExp(
  [
    // #### 72
    String.raw`^####[ \t]{1,4}([^\n]{1,200})$`,
    // … so $x \le 2$ is our answer
    String.raw`(\$[^$\n]{1,200}\$|\\\([^\n]{1,200}?\\\)|\*\*[^*\n]{1,200}\*\*)[ \t]is[ \t](?:the|our|my)[ \t](?:final[ \t]|correct[ \t])?answer(?!\p{L})`,
    // The answer is …; the final answer to the question should be …; the correct option is …
    String.raw`(?<!\p{L})(?:(?:the|my|our|your|final|correct|right|best)[ \t]{1,4})?(?:answers?|final[ \t]result|(?<=correct[ \t])(?:option|choice))${EMPHASIS}` +
      String.raw`(?:[ \t](?:to|for|of|here|we|in)(?!\p{L})(?:[^\n.:]|[.](?=\S)){0,80}?)?[ \t]{1,4}${IS}(?!\p{L}|['’])`,
    // Answer: …; Final answer = …
    String.raw`(?<!\p{L})(?:ans(?:wers?)?|final[ \t]result)${COLON}`,
    // Answer (B)
    String.raw`(?<!\p{L})answer[ \t](?=\([A-J]\))`,
    '<answer>',
    // ## Final answer, alone on its line
    String.raw`^[#*_ \t]{0,12}(?:(?<=[#*_ \t]{1,12})|(?=final))(?:final[ \t]{1,4}|correct[ \t]{1,4})?answer[*_ \t]{0,8}$`,
    // Answer, alone on its line
    String.raw`^[ \t]{0,4}answer(?=[ \t]{0,4}\r?\n)`,
    // Other languages
    '(?:故|因此|所以|应)选[:：]?',
    String.raw`(?:最终|最後的?|正确|正確)?(?:答案|最终结果)[ \t]{0,2}${EMPHASIS}(?:应该|應該|应|就)?(?:是|为|為|[:：=])`,
    String.raw`(?<!\p{L})(?:答|解答|正解|答え)[ \t]{0,2}${EMPHASIS}[:：]`,
    '(?:最終的な)?(?:答え|回答|解答|正解)は',
    String.raw`(?:최종[ \t])?(?:정답|답|답변)(?:은|[ \t]{0,2}[:：])`,
    String.raw`(?<!\p{L})(?:la|una)[ \t](?:respuesta|risposta)(?:[ \t](?:final|finale|correcta|corretta|definitiva))?[ \t](?:es|è|sería)(?!\p{L})`,
    String.raw`(?<!\p{L})a[ \t]resposta(?:[ \t](?:final|correta|certa))?[ \t]é(?!\p{L})`,
    String.raw`(?<!\p{L})la[ \t]réponse(?:[ \t](?:finale|correcte|exacte))?[ \t]est(?!\p{L})`,
    String.raw`(?<!\p{L})die[ \t](?:(?:endgültige|richtige|korrekte|finale)[ \t])?antwort[ \t](?:ist|lautet)(?!\p{L})`,
    String.raw`(?<!\p{L})(?:ist|lautet)[ \t]die[ \t]antwort(?!\p{L})`,
    String.raw`(?<!\p{L})het[ \t](?:(?:juiste|definitieve)[ \t])?antwoord[ \t]is(?!\p{L})`,
    String.raw`(?<!\p{L})(?:respuesta|risposta|resposta|réponse|antwort|endergebnis|antwoord|odpowiedź|cevap|jawaban|svar|vastaus|odpověď|đáp án|відповідь|(?:окончательный[ \t])?ответ)` +
      String.raw`(?:[ \t](?:final|finale|correcta|corretta|correta|correcte))?(?:${COLON}|[ \t]{1,2}(?:[—–]|là|равен|adalah|jest)(?!\p{L}))`,
  ].join('|'),
  'gimu',
)
