/** Sets made up by number. */
import type { TrajectoryRecord } from '../../lib/problems/record.js'

export function recordsOf(count: number, responseLength = 20): TrajectoryRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    question: `What is ${i} and then ${i * i} of the things numbered ${i % 97}?`,
    response: `It is ${i}. ${'é🙂x'.repeat(responseLength / 4)}`,
    token_num_qwen: 10 + ((i * 7919) % 500),
  }))
}
