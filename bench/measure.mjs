// Runs the sides, each run in a process of its own, and prints what came out. Knows no library.

import { execPath, stderr } from 'node:process'
import { fileURLToPath } from 'node:url'
import { capture } from '../scripts/common.mjs'
import { enginePackDirectory } from '../scripts/engine-pack.mjs'
import { reference } from './setup.mjs'

/** Runs a task of sides/<side>.mjs; returns what it reports. */
export function measure(side, task, options) {
  const program = fileURLToPath(new URL(`sides/${side}.mjs`, import.meta.url))
  const output = capture(execPath, [program, task, JSON.stringify(options)])
  return JSON.parse(output.trimEnd().split('\n').at(-1))
}

/** Runs the raw loop; returns the numbers of each line. */
export function measureRaw(mode, model, ...counts) {
  const output = capture(reference, [mode, enginePackDirectory(), model, ...counts.map(String)])
  const lines = output.trimEnd().split('\n')
  return lines.map((line) => line.split(' ').map(Number))
}

/**
 * Runs all `sides`, {name: function}, in turn, `rounds` times over: what slows the machine down slows all of them. Returns
 * the results of each in order.
 */
export async function inTurn(sides, rounds) {
  const results = Object.fromEntries(Object.keys(sides).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, side] of Object.entries(sides)) {
      if (stderr.isTTY) stderr.write(`\r\x1b[Kround ${round + 1} of ${rounds}: ${name}`)
      results[name].push(await side())
    }
  }
  if (stderr.isTTY) stderr.write('\r\x1b[K')
  return results
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Median of the quotients of values from the same round. */
export function ratio(over, under) {
  return median(over.map((value, i) => value / under[i]))
}

export function number(value, digits = 1) {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}

export function spread(values, digits = 1) {
  return values.length === 1 ? '' : `${number(Math.min(...values), digits)} … ${number(Math.max(...values), digits)}`
}

/** What was printed, and what was compared: for the files that `all` writes. */
export const printed = []
export const compared = []

/** Says how many times as fast, or as small, z1-native is as `peer` at something. */
export function compare(what, peer, times) {
  if (Number.isFinite(times)) compared.push({ what, peer, times })
}

export function print(line) {
  printed.push(line)
  console.log(line)
}

/** Prints rows of texts below a heading, the first column to the left and the others to the right. */
export function printTable(title, heading, rows) {
  const all = [heading, ...rows]
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column].length)))
  const line = (row) => row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]))).join('   ')
  print(`\n${title}`)
  for (const row of all) print(`  ${line(row)}`.trimEnd())
}
