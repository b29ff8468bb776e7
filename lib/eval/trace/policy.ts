/** What is tried on a trace: policies as texts, `stated+probe=0.9`. */

/** The options of a request that say how its thinking ends, or what nobody can know while it runs. */
export interface TracePolicy {
  /** `loops: true` */
  loops: boolean
  /** `landing: 'line'` */
  landing: boolean
  /** `stated: 'keep'` */
  stated: boolean
  /** `stated: 'end'` */
  end: boolean
  /** `earlyExit.margin`; null: none. */
  margin: number | null
  /** `earlyExit.probe`; null: none. */
  probe: number | null
  /** The thinking ends at the first place with an answer of the trace that is right. */
  oracle: boolean
}

/** Nothing but the window: the paper's cut. */
export const CUT: TracePolicy = {
  loops: false,
  landing: false,
  stated: false,
  end: false,
  margin: null,
  probe: null,
  oracle: false,
}

const FLAGS = ['loops', 'landing', 'stated', 'end', 'oracle'] as const

const RANGES = { margin: 100, probe: 1 }

/**
 * `cut`, or several of `loops`, `landing`, `stated`, `end`, `margin=NATS`, `probe=P`, `oracle` with `+` between them.
 * @throws {RangeError} for another text.
 */
export function readPolicy(text: string): TracePolicy {
  if (text === 'cut') return CUT
  const policy = { ...CUT }
  for (const part of text.split('+')) {
    const [name = '', value] = part.split('=')
    if (name === 'margin' || name === 'probe') {
      const number = value?.trim() ? Number(value) : Number.NaN
      if (!(number >= 0 && number <= RANGES[name])) {
        throw new RangeError(`Expected ${name}= and a number from 0 to ${RANGES[name]} but received ${part}`)
      }
      policy[name] = number
    } else if (FLAGS.some((flag) => flag === name) && value === undefined) {
      policy[name as (typeof FLAGS)[number]] = true
    } else {
      throw new RangeError(
        `Expected cut, or loops, landing, stated, end, margin=NATS, probe=P and oracle with + between, but received ${text}`,
      )
    }
  }
  return policy
}

/** As {@link readPolicy} reads it. */
export function nameOf(policy: TracePolicy): string {
  const parts = [
    ...(['loops', 'landing', 'stated', 'end'] as const).filter((name) => policy[name]),
    ...(['margin', 'probe'] as const).flatMap((name) => (policy[name] === null ? [] : [`${name}=${policy[name]}`])),
    ...(policy.oracle ? ['oracle'] : []),
  ]
  return parts.join('+') || 'cut'
}
