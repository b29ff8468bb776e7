/** What runs around an answer in JavaScript, as lib/grading/execution/python.ts has it for Python. */

const JOB = `
const fs = require('node:fs')
let rest = ''
const decoder = new (require('node:string_decoder').StringDecoder)('utf8')
const readLine = () => {
  for (;;) {
    const end = rest.indexOf('\\n')
    if (end >= 0) {
      const line = rest.slice(0, end)
      rest = rest.slice(end + 1)
      return line
    }
    const buffer = Buffer.alloc(65536)
    const size = fs.readSync(3, buffer)
    if (size === 0) return null
    rest += decoder.write(buffer.subarray(0, size))
  }
}
const job = JSON.parse(readLine())
`

/** Standard input to standard output. Job: code. */
export const SCRIPT = `${JOB}
fs.closeSync(3)
const Module = require('node:module')
const main = new Module('/tmp/answer.js')
main.filename = '/tmp/answer.js'
main.paths = []
process.mainModule = main
require.main = main
main._compile(job.code, main.filename)
`

/** A function that is called for every line of the channel. Job: code, name, method. A request has arguments as JSON texts. */
export const FUNCTION = `${JOB}
const encode = (value) => {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean' || typeof value === 'string') return value
  const hex = (value) => (value < 0n ? '-' + (-value).toString(16) : value.toString(16))
  if (typeof value === 'bigint') return { i: hex(value) }
  if (Number.isSafeInteger(value)) return value
  if (typeof value === 'number') return Number.isInteger(value) ? { i: hex(BigInt(value)) } : { f: String(value) }
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value, encode)
  if (value instanceof Set) return { s: Array.from(value, encode) }
  if (value instanceof Map) return { d: Array.from(value, (pair) => pair.map(encode)) }
  if (typeof value === 'object') return { d: Object.entries(value).map((pair) => pair.map(encode)) }
  return { o: typeof value }
}
const send = (message) => {
  let data = Buffer.from(JSON.stringify(message) + '\\n')
  while (data.length > 0) data = data.subarray(fs.writeSync(3, data))
}
const failure = (error) => ({ error: String(error?.name ?? 'Error'), message: String(error?.message ?? error).slice(0, 500) })
const vm = require('node:vm')
const main = async () => {
  let call
  try {
    globalThis.require = require
    vm.runInThisContext(job.code, 'answer.js')
    const isMethod = job.method && vm.runInThisContext("typeof Solution === 'function'")
    call = vm.runInThisContext(isMethod ? '(holder => (name, args) => holder[name](...args))(new Solution())' : job.name)
    if (!isMethod) {
      const plain = call
      call = (_, args) => plain(...args)
    }
    send({ ready: true })
  } catch (error) {
    return send(failure(error))
  }
  for (let line = readLine(); line !== null; line = readLine()) {
    try {
      const args = JSON.parse(line).texts.map((text) => JSON.parse(text))
      send({ value: encode(await call(job.name, args)) })
    } catch (error) {
      send(failure(error))
    }
  }
}
main()
`
