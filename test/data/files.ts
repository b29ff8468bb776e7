/** Files for the tests of the data tools: folders that vanish, sets made up by number, whole files read at once. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { TrajectoryRecord } from '../../lib/problems/record.js'

/** A function from names to paths in a folder of the test file's own. */
export function temporaryFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'z1-data-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  return (name) => join(folder, name)
}

export function recordsOf(count: number, responseLength = 20): TrajectoryRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `r${i}`,
    question: `What is ${i} and then ${i * i} of the things numbered ${i % 97}?`,
    response: `It is ${i}. ${'é🙂x'.repeat(responseLength / 4)}`,
    token_num_qwen: 10 + ((i * 7919) % 500),
  }))
}

export function jsonl(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('')
}

export function writeJsonl(path: string, values: readonly unknown[]): string {
  writeFileSync(path, jsonl(values))
  return path
}

export function readLines(path: string): Record<string, unknown>[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines.filter(Boolean).map((line) => JSON.parse(line))
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
