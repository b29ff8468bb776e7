// The child process of addon.test.ts: calls every export of the addon with wrong arguments of every kind, and every number
// of every parameter with wrong ones. lib/ never does; but nothing that JavaScript can pass may end the process. Prints nothing.
import { loadAddon } from '../../dist/native/addon.js'
import { openEngine } from '../../dist/native/engine.js'

const addon = loadAddon()
const report = { calls: 0, refused: 0, noErrors: [], unfinished: [], last: undefined }

/** What the call gives or resolves to; undefined when it is refused. */
async function call(name, ...args) {
  report.calls++
  try {
    return await addon[name](...args)
  } catch (error) {
    report.refused++
    if (!(error instanceof Error) || !error.message) report.noErrors.push(`${name}: ${String(error)}`)
  }
}

const garbage = () => [
  ...[
    undefined,
    null,
    true,
    0,
    -1,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    10n,
    '',
    'text',
    Symbol('s'),
  ],
  ...[{}, [], [null], [1], () => {}, Object.create(null), new Date(0), new Error('x'), Promise.resolve()],
  ...[new ArrayBuffer(8), new Float64Array(1), new Int32Array(2), Int32Array.of(-1), Int32Array.of(2 ** 31 - 1)],
  new Proxy(
    {},
    {
      get: () => {
        throw new Error('a trap')
      },
    },
  ),
]
const numbers = [
  undefined,
  null,
  NaN,
  -1,
  0,
  1,
  3.7,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32 - 1,
  2 ** 32,
  1e300,
  -Infinity,
  'x',
  {},
  [],
  5n,
]
const model = { path: process.argv[2], gpuLayers: 0, contextCells: 64, weights: true, mmap: true }
const context = {
  ...{ contextSize: 64, parallel: 2, branches: 1, sharedCells: false },
  ...{ batchSize: 32, threads: 1, threadsBatch: 1, adapts: false },
}
const sampling = {
  ...{ temperature: 0, topK: 40, topP: 0.95, minP: 0.05, typicalP: 1, repeatPenalty: 1, frequencyPenalty: 0 },
  ...{
    presencePenalty: 0,
    penaltyLastN: 64,
    dryMultiplier: 0,
    dryBase: 1.75,
    dryAllowedLength: 2,
    dryPenaltyLastN: 64,
  },
  ...{ drySequenceBreakers: ['\n'], xtcProbability: 0, xtcThreshold: 0.1, logitBias: new Float64Array(), seed: 1 },
}
const request = {
  ...{ prompt: Int32Array.of(65, 66), thinkingWindow: 3, maxTokens: 2, hint: Int32Array.of(67), stop: [] },
  ...{
    cuts: [1],
    landsOnLine: false,
    earlyMargin: null,
    earlyProbe: null,
    keepsStated: false,
    endsStated: false,
    confidence: false,
  },
  ...{ wait: null, trace: null, stopInThinking: false },
  ...{
    bannedTags: [],
    bannedInThinking: [],
    calls: null,
    closeTag: null,
    grammar: null,
    loops: false,
    cachePrompt: true,
    sampling,
  },
}

/** What waits for the last event of a generation, by its id. */
const waiting = new Map()
let lastId = 1000

function onEvent(id, event) {
  if (event.type === 'done' || event.type === 'error') waiting.get(id)?.(event)
}

/** Runs a request with these changes to its end. */
async function generate(handle, changes) {
  const id = ++lastId
  const ended = new Promise((resolve) => waiting.set(id, resolve))
  const before = report.refused
  await call('generationStart', handle, { ...request, ...changes, id })
  if (report.refused > before) return
  const timer = setTimeout(() => waiting.get(id)(undefined), 5000)
  report.last = await ended
  clearTimeout(timer)
  if (!report.last) report.unfinished.push(Object.keys(changes).join())
}

async function main() {
  // llama.cpp prints a grammar that it cannot read: lib/grammar hands on none.
  const names = Object.keys(addon).filter((name) => name !== 'modelMatches')
  const anything = async (more = []) => {
    for (const name of names) {
      if (name === 'channelOpen') continue
      for (const value of [...garbage(), ...more]) {
        await call(name, value)
        await call(name, value, value, value)
      }
    }
  }
  await anything()
  for (const value of garbage()) if (typeof value !== 'function') await call('channelOpen', value)
  addon.channelOpen(onEvent)
  await call('channelOpen', onEvent)

  await openEngine('cpu')
  const load = async () => (await addon.modelLoad(1, model, null)).model
  const open = await load()
  const { context: running } = await addon.contextCreate(open, context)
  const closed = await load()
  const { context: ended } = await addon.contextCreate(closed, context)
  await addon.contextClose(ended)
  addon.modelClose(closed)

  // Handles where they belong and where they do not, with garbage beside them.
  await anything([closed, ended])
  for (const name of names) {
    const closes = name === 'modelClose' || name === 'contextClose'
    for (const handle of closes ? [closed, ended] : [open, running, closed, ended]) {
      for (const value of [...garbage(), open, running, closed, ended]) {
        await call(name, handle, value)
        await call(name, handle, value, value)
        if (!closes) await call(name, value, handle, value)
      }
    }
  }

  for (const key of Object.keys(context)) {
    for (const value of numbers) {
      const made = await call('contextCreate', open, { ...context, [key]: value })
      if (made) await call('contextClose', made.context)
    }
  }
  const { model: weightless } = await addon.modelLoad(2, { ...model, weights: false, mmap: true }, null)
  await call('contextCreate', weightless, context)
  for (const key of Object.keys(model)) {
    for (const value of garbage()) {
      const made = await call('modelLoad', value, { ...model, [key]: value }, value)
      if (made) await call('modelClose', made.model)
    }
  }

  const lists = [
    [''],
    ['x', 'y'],
    [null],
    [{}],
    ...[[-1, 1], [2 ** 30, 1], [65, Number.NaN], [Number.NaN, 1], [1e300, 1e300], [65]].map((pairs) =>
      Float64Array.from(pairs),
    ),
  ]
  const tokens = [[], [-1], [300], [2 ** 31 - 1], Array(1000).fill(65), Array(63).fill(65), Array(64).fill(65)].map(
    (list) => Int32Array.from(list),
  )
  for (const key of Object.keys(request).filter((name) => name !== 'grammar')) {
    for (const value of [...numbers, ...lists, ...tokens]) await generate(running, { [key]: value })
  }
  for (const others of [
    {},
    { temperature: 1 },
    { temperature: 1, dryMultiplier: 1, repeatPenalty: 1.5, xtcProbability: 0.5, typicalP: 0.5 },
  ]) {
    for (const key of Object.keys(sampling)) {
      for (const value of [...numbers, ...lists])
        await generate(running, { sampling: { ...sampling, ...others, [key]: value } })
    }
  }
  for (const segment of [
    null,
    {},
    { text: '\ud800' },
    { text: 'x'.repeat(1e6), parseSpecial: 1 },
    { text: '\0\0', parseSpecial: {} },
  ]) {
    await call('modelTokenize', 1, open, [segment], 1e6)
  }
  for (const list of [...tokens, new Int32Array(1e6)]) await call('modelDetokenize', 1, open, list, 1)

  // And all is well.
  await generate(running, {})
  await addon.contextClose(running)
  addon.modelClose(open)
}

main().then(
  () => process.send(report, () => process.disconnect()),
  (error) => process.send({ ...report, failed: String(error.stack) }, () => process.disconnect()),
)
