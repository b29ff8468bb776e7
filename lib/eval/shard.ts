/** Shards: a run's items shared by several runs, on one machine or on many, and their folders made one again. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isString, kind } from '../base/checks.js'
import { checkDistinct, writeWhole } from '../base/files.js'
import { readLog } from '../base/jsonl.js'
import { FORMAT } from './formats.js'
import type { Run, RunOptions } from './records.js'
import { filesOfRun, keyOf, readOutcomes, readRun, resultsFile } from './results.js'

/** `2/4`, as it is given. */
export const shardName = kind('shard such as 2/4', isString, {
  isValid: (value) => {
    const [index, of] = partsOf(value)
    return Number.isInteger(index) && index >= 1 && index <= of
  },
})

function partsOf(shard: string): [index: number, of: number] {
  const [, index, of] = /^(\d{1,6})\/(\d{1,6})$/.exec(shard) ?? []
  return [Number(index), Number(of)]
}

/** The items of a shard: every n-th, so that each has its part of what a file holds in order. */
export function ofShard<T>(items: readonly T[], shard: string | undefined): T[] {
  if (shard === undefined) return [...items]
  const [index, of] = partsOf(shard)
  return items.filter((_, i) => i % of === index - 1)
}

/** Responses of a whole run. */
export function totalOf({ items, windows, samples, shard }: RunOptions): number {
  const [index, of] = shard === undefined ? [1, 1] : partsOf(shard)
  return Math.ceil((items - index + 1) / of) * windows.length * samples
}

/**
 * Writes a run that holds the results of its shards. What is missing in them is missing in it: `z1 eval` with the same
 * options goes on.
 * @param output A folder without a run.
 * @returns The number of responses.
 * @throws {Error} for runs that are not shards of the same run, and for results that are there twice.
 */
export async function mergeRuns(directories: readonly string[], output: string): Promise<number> {
  const there = filesOfRun(output).find((file) => existsSync(file))
  if (there !== undefined) throw new Error(`${there} is there already: give another folder`)
  await checkDistinct(filesOfRun(output), directories.flatMap(filesOfRun))
  const [first, ...others] = directories.map((directory) => ({ directory, run: readRun(directory) }))
  if (!first) throw new RangeError('Expected at least one folder')
  const { shard: _, ...options } = first.run.options
  for (const { directory, run } of others) {
    for (const name of Object.keys(options) as (keyof typeof options)[]) {
      const [one, other] = [options[name], run.options[name]].map((value) => JSON.stringify(value))
      if (one === other) continue
      throw new Error(`${first.directory} and ${directory} are not of one run: ${name} is ${one} and ${other}`)
    }
  }
  const lines: string[] = []
  const from = new Map<string, string>()
  for (const directory of directories) {
    // Checks each line, and that none is there twice in one folder.
    for (const response of await readOutcomes(directory)) {
      const key = keyOf(response)
      const before = from.get(key)
      if (before !== undefined) {
        throw new Error(`${before} and ${directory} both have a result of ${response.id} at window ${response.window}`)
      }
      from.set(key, directory)
    }
    for await (const { json } of readLog(resultsFile(directory))) lines.push(`${json}\n`)
  }
  await mkdir(output, { recursive: true })
  const run: Run = { format: FORMAT, options, environment: first.run.environment }
  await writeWhole(resultsFile(output), lines.join(''))
  await writeWhole(join(output, 'run.json'), `${JSON.stringify(run, null, 2)}\n`)
  return lines.length
}
