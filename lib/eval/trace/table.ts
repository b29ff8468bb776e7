/** Policies that were tried as a table of text, for people. */
import { columns, interval, percent, signed } from '../report.js'
import type { PolicyFigures, PolicyTable } from './policies.js'

const ENDINGS = ['self', 'window', 'loop', 'early', 'stated', 'length']

export function reportOfPolicies({ options, items, policies }: PolicyTable): string {
  const endings = ENDINGS.filter((name) => policies.some(({ ended }) => ended[name]))
  return [
    `${options.task}, ${items} items traced`,
    columns([
      [
        ...['policy', 'window', 'accuracy, %', '95%', 'thinking', 'hint', 'answer', 'probes', 'all'],
        ...['less cut, %', '95%', 'cut at as many, %', 'less that, %', '95%'],
        ...endings.map((name) => `${name}, %`),
      ],
      ...policies.map((row) => [
        ...[row.policy, row.window, percent(row.accuracy), interval(row.interval)],
        ...[row.thinkingTokens, row.hintTokens, row.answerTokens, row.probeTokens, row.totalTokens].map((n) =>
          n.toFixed(1),
        ),
        ...differences(row),
        ...endings.map((name) => percent(row.ended[name] ?? 0)),
      ]),
    ]),
  ].join('\n\n')
}

function differences({ atSameWindow, atEqualTokens }: PolicyFigures): string[] {
  return [
    ...(atSameWindow ? [signed(atSameWindow.difference), interval(atSameWindow.interval)] : ['–', '–']),
    ...(atEqualTokens
      ? [percent(atEqualTokens.accuracyB), signed(atEqualTokens.difference), interval(atEqualTokens.interval)]
      : ['–', '–', '–']),
  ]
}
