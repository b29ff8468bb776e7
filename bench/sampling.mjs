// What drawing one token costs, against llama.cpp's samplers on all tokens: sampling.cpp, compiled with optimization.
import { capture } from '../scripts/common.mjs'
import { enginePackDirectory } from '../scripts/engine-pack.mjs'
import { compare, number, printTable } from './measure.mjs'
import { build } from './setup.mjs'

export function sampling({ rounds = 25 }) {
  const output = capture(build('sampling'), [enginePackDirectory(), String(rounds)])
  const rows = output
    .trim()
    .split('\n')
    .map((line) => {
      const [name, z1, llama, differ, draws] = line.split('\t')
      compare(`a draw by ${name}`, 'llama.cpp', Number(llama) / Number(z1))
      return [
        name,
        number(Number(z1)),
        number(Number(llama)),
        number(Number(z1) / Number(llama), 2),
        `${differ} of ${draws}`,
      ]
    })
  printTable(
    `One draw from 151,936 logits, microseconds, medians of ${rounds} rounds in turn`,
    ['', 'z1-native', 'llama.cpp', 'z1 ÷ llama.cpp', 'other tokens'],
    rows,
  )
}
