// How many schemas of a file the converter gets right, as llama.cpp itself reads its grammars. Run npm run compile first.
//
//   node scripts/measure-schemas.mjs --model FILE.gguf --data FILE [--form all|canonical] [--show N]
//
// The file is JSON Lines of { name, schema, tests: [{ data, valid }] } as JSONSchemaBench's maskbench has them, or one JSON
// object of JSON-Schema-Test-Suite's files by their names ("draft7/…": [{ description, schema, tests }]); either may be
// gzipped. A schema is right when every instance, written as compact JSON, is accepted or rejected as it should be. The
// model gives a vocabulary and may be any; its weights are not read.
import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { checkGrammar } from '../dist/grammar/check-grammar.js'
import { jsonSchemaToGrammar } from '../dist/grammar/schema-to-grammar.js'
import { openEngine } from '../dist/native/engine.js'
import { Model } from '../dist/native/model.js'
import { ScriptError, script } from './common.mjs'

function readCases(path) {
  const bytes = readFileSync(path)
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  if (/\.jsonl(\.gz)?$/.test(path))
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  return Object.entries(JSON.parse(text))
    .filter(([file]) => file !== 'remotes')
    .flatMap(([file, groups]) =>
      groups.map(({ description, schema, tests }) => {
        const isOld = file.startsWith('draft7') && typeof schema === 'object' && !schema.$schema
        const dialect = isOld ? { $schema: 'http://json-schema.org/draft-07/schema#' } : {}
        return { name: `${file}: ${description}`, schema: isOld ? { ...dialect, ...schema } : schema, tests }
      }),
    )
}

async function measure({ model: path, data, form, show }) {
  if (!path || !data) throw new ScriptError('Expected --model FILE.gguf and --data FILE')
  await openEngine('cpu')
  const model = await Model.load({ path, gpuLayers: 0, contextCells: 0, weights: false, mmap: true })
  const counts = {
    schemas: 0,
    refused: 0,
    right: 0,
    withWarnings: 0,
    wronglyAccepted: 0,
    acceptedWithWarning: 0,
    wronglyRejected: 0,
  }
  const times = []
  const sizes = []
  const shown = []
  for (const { name, schema, tests } of readCases(data)) {
    counts.schemas++
    const began = performance.now()
    let made
    try {
      made = jsonSchemaToGrammar(schema, { form })
      checkGrammar(made.grammar)
    } catch (error) {
      counts.refused++
      shown.push(`refused: ${name}: ${error.message}`)
      continue
    } finally {
      times.push(performance.now() - began)
    }
    sizes.push(made.grammar.length)
    const hasWarnings = made.warnings.length > 0
    if (hasWarnings) counts.withWarnings++
    let isRight = true
    for (const { data: instance, valid } of tests) {
      const text = JSON.stringify(instance)
      const tokens = await model.tokenize([{ text, parseSpecial: false, continuation: true }])
      if (model.matches(made.grammar, tokens) === valid) continue
      isRight = false
      if (valid) counts.wronglyRejected++
      else if (hasWarnings) counts.acceptedWithWarning++
      else counts.wronglyAccepted++
      shown.push(`${valid ? 'rejected' : 'accepted'}: ${name}: ${text.slice(0, 200)}`)
    }
    if (isRight) counts.right++
  }
  model.close()
  const quantiles = (values) => {
    const sorted = values.sort((a, b) => a - b)
    return [0.5, 0.95, 1].map((part) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0),
    )
  }
  for (const line of shown.slice(0, Number(show))) console.log(line)
  console.log({
    ...counts,
    'ms (median, 95%, most)': quantiles(times),
    'characters (median, 95%, most)': quantiles(sizes),
  })
}

script(() => {
  const option = (fallback) => ({ type: 'string', ...(fallback === undefined ? {} : { default: fallback }) })
  const { values } = parseArgs({
    args: argv.slice(2),
    options: { model: option(), data: option(), form: option('all'), show: option('0') },
  })
  return measure(values)
})
