/**
 * The formats of JSON Schema as sets of texts. Where a standard allows more than is ever written (comments in mail
 * addresses, leap seconds), a set has less: all that is in it is right.
 */
import { type Automaton, intersect, negate } from './automaton.js'
import { ofPattern } from './regex.js'

const LEAP_YEAR = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)'
const DATE =
  '(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))' +
  `|${LEAP_YEAR}-02-29)`
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:[Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)'
const DURATION =
  'P(?:\\d+W|(?:\\d+Y(?:\\d+M(?:\\d+D)?)?|\\d+M(?:\\d+D)?|\\d+D)(?:T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))?' +
  '|T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))'
const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`
const GROUP = '[0-9A-Fa-f]{1,4}'
const LAST = `(?:${GROUP}:${GROUP}|${IPV4})`
const IPV6 = [
  `(?:${GROUP}:){6}${LAST}`,
  `::(?:${GROUP}:){5}${LAST}`,
  `(?:${GROUP})?::(?:${GROUP}:){4}${LAST}`,
  `(?:(?:${GROUP}:){0,1}${GROUP})?::(?:${GROUP}:){3}${LAST}`,
  `(?:(?:${GROUP}:){0,2}${GROUP})?::(?:${GROUP}:){2}${LAST}`,
  `(?:(?:${GROUP}:){0,3}${GROUP})?::${GROUP}:${LAST}`,
  `(?:(?:${GROUP}:){0,4}${GROUP})?::${LAST}`,
  `(?:(?:${GROUP}:){0,5}${GROUP})?::${GROUP}`,
  `(?:(?:${GROUP}:){0,6}${GROUP})?::`,
].join('|')
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,16}"
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?'
// Labels of 63 characters and names of 253, in the two forms that an automaton of reasonable size can count.
const longLabel = (most: number) => `[A-Za-z0-9](?:[A-Za-z0-9-]{0,${most - 2}}[A-Za-z0-9])?`
const HOST = `(?:${longLabel(63)}\\.){0,2}${longLabel(63)}|(?:${longLabel(24)}\\.){0,8}${longLabel(24)}`
const HEX = '%[0-9A-Fa-f]{2}'
const PCHAR = `(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|${HEX})`
const TAIL = `(?:\\?(?:${PCHAR}|[/?])*)?(?:#(?:${PCHAR}|[/?])*)?`
const AUTHORITY = `(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|${HEX})*@)?(?:[A-Za-z0-9._~!$&'()*+,;=-]|${HEX})*(?::\\d*)?`
const HIER = `(?://${AUTHORITY}(?:/${PCHAR}*)*|/(?:${PCHAR}+(?:/${PCHAR}*)*)?|${PCHAR}+(?:/${PCHAR}*)*)`
const SEGMENT = `(?:[A-Za-z0-9._~!$&'()*+,;=@-]|${HEX})+`
const RELATIVE = `(?://${AUTHORITY}(?:/${PCHAR}*)*|/(?:${PCHAR}+(?:/${PCHAR}*)*)?|${SEGMENT}(?:/${PCHAR}*)*|)`
const URI = `[A-Za-z][A-Za-z0-9+.-]*:${HIER}${TAIL}`
const POINTER = '(?:/(?:[^/~]|~[01])*)*'
const VARIABLE = `(?:[A-Za-z0-9_]|${HEX})+(?:\\.(?:[A-Za-z0-9_]|${HEX})+)*(?::[1-9]\\d{0,3}|\\*)?`

const whole = (pattern: string) => () => ofPattern(`^(?:${pattern})$`)
const hostname = () => intersect(whole(HOST)(), negate(ofPattern('--')))
const email = whole(`${ATOM}(?:\\.${ATOM}){0,2}@(?:${LABEL}\\.)+${LABEL}`)

const FORMATS: Record<string, () => Automaton> = {
  date: whole(DATE),
  time: whole(TIME),
  'date-time': whole(`${DATE}[Tt]${TIME}`),
  duration: whole(DURATION),
  email,
  'idn-email': email,
  hostname,
  'idn-hostname': hostname,
  ipv4: whole(IPV4),
  ipv6: whole(IPV6),
  uri: whole(URI),
  iri: whole(URI),
  'uri-reference': whole(`${URI}|${RELATIVE}${TAIL}`),
  'iri-reference': whole(`${URI}|${RELATIVE}${TAIL}`),
  'uri-template': whole(
    `(?:[!#$&()*+,./0-9:;=?@A-Z\\[\\]_a-z~-]|${HEX}|\\{[+#./;?&]?${VARIABLE}(?:,${VARIABLE})*\\})*`,
  ),
  uuid: whole('[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}'),
  'json-pointer': whole(POINTER),
  'relative-json-pointer': whole(`(?:0|[1-9]\\d*)(?:#|${POINTER})`),
}

/** The texts of a format, or null for one that JSON Schema does not define: validators ignore those. */
export function ofFormat(name: string): Automaton | null {
  return Object.hasOwn(FORMATS, name) ? (FORMATS[name] as () => Automaton)() : null
}
