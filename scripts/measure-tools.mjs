// How many of the calls that a model generates for the functions of the Berkeley Function Calling Leaderboard are valid, as ajv says.
// Run npm run compile first.
//
//   node scripts/measure-tools.mjs --model FILE.gguf --data FILE [--data FILE …] [--limit N] [--temperature T] [--parallel]
//
// A file is JSON Lines of { question, function: [{ name, description, parameters }] }, as BFCL_v4_simple_python.json and
// BFCL_v4_multiple.json in the data folder of PyPI's bfcl-eval. Types of Python, Java and JavaScript become those of JSON Schema
// ("dict" is object, "float" number, "tuple" array). Every question must be answered by a call, of which the raw text is parsed here.
import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { parseArgs } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { Z1 } from '../dist/index.js'
import { ScriptError, script } from './common.mjs'

const TYPES = {
  dict: 'object',
  hashmap: 'object',
  hashtable: 'object',
  float: 'number',
  double: 'number',
  tuple: 'array',
  arraylist: 'array',
  queue: 'array',
  stack: 'array',
  set: 'array',
  long: 'integer',
  short: 'integer',
  byte: 'integer',
  bigint: 'integer',
  char: 'string',
}
const KNOWN = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']

/** BFCL's schemas as JSON Schema. A type that JSON does not have, such as any, says nothing. */
function mapped(schema) {
  if (Array.isArray(schema)) return schema.map(mapped)
  if (typeof schema !== 'object' || schema === null) return schema
  const entries = Object.entries(schema).flatMap(([key, value]) => {
    if (key === 'properties') return [[key, Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapped(v)]))]]
    if (key !== 'type' || typeof value !== 'string') return [[key, key === 'items' ? mapped(value) : value]]
    const type = TYPES[value.toLowerCase()] ?? value.toLowerCase()
    return KNOWN.includes(type) ? [[key, type]] : []
  })
  return Object.fromEntries(entries)
}

function readTasks(paths, limit) {
  const tasks = paths.flatMap((path) => {
    const lines = readFileSync(path, 'utf8').trim().split('\n')
    return lines.map((line) => JSON.parse(line))
  })
  // Spread over all of them.
  const step = tasks.length / Math.min(limit, tasks.length)
  return Array.from({ length: Math.min(limit, tasks.length) }, (_, i) => tasks[Math.floor(i * step)])
}

/** What is wrong with a response; null: it is one valid call, or several. */
function problemOf(text, tools) {
  const blocks = [...text.matchAll(/<tool_call>([\s\S]*?)<\/tool_call>/g)]
  if (blocks.length === 0) return 'no call'
  if (text.replace(/<tool_call>[\s\S]*?<\/tool_call>/g, '').trim() !== '') return 'text beside the calls'
  for (const [, json] of blocks) {
    let call
    try {
      call = JSON.parse(json)
    } catch {
      return 'no JSON'
    }
    const tool = tools.find(({ name }) => name === call.name)
    if (!tool) return `no tool ${call.name}`
    // BFCL has keywords of its own (optional, and defaults of other types).
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(tool.parameters)
    if (!validate(call.arguments)) return `arguments: ${JSON.stringify(validate.errors?.[0])}`
  }
  return null
}

async function measure({ model, data = [], limit, temperature, parallel }) {
  if (!model || data.length === 0) throw new ScriptError('Expected --model FILE.gguf and --data FILE')
  const z1 = await Z1.load({ model, threads: 1, engine: 'cpu', contextSize: 4096 })
  const counts = { tasks: 0, functions: 0, valid: 0, cutShort: 0, invalid: 0, refused: 0, withWarnings: 0 }
  const options = { toolChoice: 'required', parallelToolCalls: parallel, temperature, maxTokens: 512 }
  const began = performance.now()
  for (const task of readTasks(data, limit)) {
    const tools = [task.function].flat().map(({ name, description, parameters }) => {
      return { name, description, parameters: mapped(parameters) }
    })
    counts.tasks++
    counts.functions += tools.length
    try {
      const result = await z1.reason(task.question[0], { ...options, tools, seed: counts.tasks })
      const problem = problemOf(result.text.slice(result.reasoning.length + result.hint.length), tools)
      if (result.warnings.length > 0) counts.withWarnings++
      if (problem === null && result.toolCalls.length > 0) counts.valid++
      else if (result.finishReason === 'length') counts.cutShort++
      else {
        counts.invalid++
        console.error(`${task.id}: ${problem}: ${result.text}`)
      }
    } catch (error) {
      counts.refused++
      console.error(`${task.id}: ${error.message}`)
    }
  }
  console.log({ ...counts, seconds: Math.round((performance.now() - began) / 1000) })
  await z1.dispose()
}

script(() => {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      model: { type: 'string' },
      data: { type: 'string', multiple: true },
      limit: { type: 'string', default: 'Infinity' },
      temperature: { type: 'string', default: '0' },
      parallel: { type: 'boolean', default: false },
    },
  })
  return measure({ ...values, limit: Number(values.limit), temperature: Number(values.temperature) })
})
