/** What a server has done, in the text format of Prometheus (version 0.0.4). */
import type { ReasonResult } from '../reason/result.js'

type Labels = Readonly<Record<string, string>>

const HELP = {
  z1_requests_total: ['counter', 'Requests by path and status; 499 are those whose client has gone.'],
  z1_request_seconds_sum: ['counter', 'Seconds from the arrival of requests to their end.'],
  z1_request_seconds_count: ['counter', 'Requests that z1_request_seconds_sum adds up.'],
  z1_tokens_total: ['counter', 'Tokens by kind: prompt (cached ones among them), cached, thinking, hint, answer.'],
  z1_responses_total: ['counter', 'Responses by how their thinking ended and why they finished.'],
  z1_requests_running: ['gauge', 'Requests that run.'],
  z1_requests_waiting: ['gauge', 'Requests that wait for a sequence.'],
} as const

type Name = keyof typeof HELP

export class Metrics {
  readonly #values = new Map<Name, Map<string, number>>()

  request(path: string, status: number, seconds: number): void {
    this.#add('z1_requests_total', { path, status: String(status) }, 1)
    this.#add('z1_request_seconds_sum', { path }, seconds)
    this.#add('z1_request_seconds_count', { path }, 1)
  }

  response({ usage, ended, finishReason }: ReasonResult): void {
    const { promptTokens, cachedTokens, thinkingTokens, hintTokens, answerTokens } = usage
    const kinds = {
      prompt: promptTokens,
      cached: cachedTokens,
      thinking: thinkingTokens,
      hint: hintTokens,
      answer: answerTokens,
    }
    for (const [kind, tokens] of Object.entries(kinds)) this.#add('z1_tokens_total', { kind }, tokens)
    this.#add('z1_responses_total', { ended, finish_reason: finishReason }, 1)
  }

  /** @param gauges What is so now. */
  text(gauges: { running: number; waiting: number }): string {
    this.#values.set('z1_requests_running', new Map([['', gauges.running]]))
    this.#values.set('z1_requests_waiting', new Map([['', gauges.waiting]]))
    const lines = Object.entries(HELP).flatMap(([name, [type, help]]) => {
      const values = this.#values.get(name as Name) ?? []
      return [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...Array.from(values, ([labels, value]) => `${name}${labels} ${value}`),
      ]
    })
    return `${lines.join('\n')}\n`
  }

  /** Labels are words of this code, paths of its routes and numbers: none needs an escape. */
  #add(name: Name, labels: Labels, value: number): void {
    const key = `{${Object.entries(labels)
      .map(([label, text]) => `${label}="${text}"`)
      .join(',')}}`
    const values = this.#values.get(name) ?? new Map<string, number>()
    values.set(key, (values.get(key) ?? 0) + value)
    this.#values.set(name, values)
  }
}
