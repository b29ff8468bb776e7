/** JSON Lines, written and read at once. */
import { readFileSync, writeFileSync } from 'node:fs'

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
