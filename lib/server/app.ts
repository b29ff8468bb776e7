/**
 * The server as a fetch handler: its routes, and who may ask. Knows no socket, so that it can be tested, and mounted, without one.
 */
import { Hono } from 'hono'
import { oneOf, text } from '../base/checks.js'
import { RequestError } from '../protocol/error.js'
import { type FieldTable, readFields, use } from '../protocol/fields.js'
import { isReasoner, type Reasoner } from '../reason/reasoner.js'
import { answer, countTokens, failed } from './answer.js'
import { readBody } from './body.js'
import type { Dialect } from './dialect.js'
import { chat } from './dialects/chat.js'
import { completions } from './dialects/completions.js'
import { messages } from './dialects/messages.js'
import { responses } from './dialects/responses.js'
import { failureOf } from './failure.js'
import { type AppOptions, checkAppOptions } from './options.js'
import { PAGE_PATHS, pageFile } from './page.js'
import { checkKey, checkSender, corsHeaders, PREFLIGHT } from './security.js'
import { ServerState } from './state.js'
import { VOCABULARY } from './vocabulary.js'

/** The paths of the protocols. */
const DIALECTS: Readonly<Record<string, Dialect>> = {
  '/v1/chat/completions': chat,
  '/v1/completions': completions,
  '/v1/responses': responses,
  '/v1/messages': messages,
}

/** Of Anthropic. */
const COUNT_PATH = '/v1/messages/count_tokens'

/** Paths that answer without their /v1 too, as llama-server's do. What it has at /completions is another protocol. */
const withAliases = (path: string) => (path === '/v1/completions' ? [path] : [path, path.slice('/v1'.length)])

/** What needs no key. */
const OPEN_PATHS = ['/health', ...PAGE_PATHS]

const CONTROL_FIELDS = { action: use(oneOf(['reasoning_end'])), id: use(text) } satisfies FieldTable

/**
 * A Hono application: `app.fetch` takes a Request and gives a Response. The reasoner stays the caller's.
 * @throws {TypeError|RangeError} for options that cannot be.
 */
export function createApp(reasoner: Reasoner, options?: AppOptions): Hono {
  if (!isReasoner(reasoner)) throw new TypeError('Expected a reasoner, such as a Z1')
  return appOf(new ServerState(reasoner, checkAppOptions(options)))
}

export function appOf(state: ServerState): Hono {
  const app = new Hono()
  const { options, metrics, admission } = state
  const dialectOf = (path: string) =>
    DIALECTS[path] ?? DIALECTS[`/v1${path}`] ?? (path === COUNT_PATH ? messages : chat)
  const fail = (path: string, error: unknown) => failed(state, dialectOf(path), failureOf(error), error)

  app.onError((error, c) => fail(c.req.path, error))
  app.use(async (c, next) => {
    checkSender(c.req.raw, options)
    const cors = corsHeaders(c.req.raw)
    if (c.req.method === 'OPTIONS') return c.body(null, 204, { ...cors, ...PREFLIGHT })
    if (!OPEN_PATHS.includes(c.req.path)) checkKey(c.req.raw.headers, options.apiKey)
    await next()
    for (const [name, value] of Object.entries(cors)) c.header(name, value)
    c.header('x-content-type-options', 'nosniff')
    return
  })

  for (const path of PAGE_PATHS) app.get(path, () => pageFile(path))
  app.get('/health', (c) => (state.draining ? c.json({ status: 'draining' }, 503) : c.json({ status: 'ok' })))
  app.get('/metrics', (c) => {
    const { running, waiting } = admission
    return c.body(metrics.text({ running, waiting }), 200, {
      'content-type': 'text/plain; version=0.0.4; charset=utf-8',
    })
  })
  for (const path of withAliases('/v1/models')) {
    app.get(path, (c) => {
      const model = modelOf(state)
      return c.json({ object: 'list', data: [model], has_more: false, first_id: model.id, last_id: model.id })
    })
  }
  app.get('/v1/models/:id{.+}', (c) => {
    const id = c.req.param('id')
    if (id !== state.modelId)
      throw new RequestError(`There is no model ${JSON.stringify(id.slice(0, 100))}`, 'model', 404)
    return c.json(modelOf(state))
  })
  for (const [path, dialect] of Object.entries(DIALECTS)) {
    for (const alias of withAliases(path)) app.post(alias, (c) => answer(state, dialect, path, c.req.raw))
  }
  app.post(COUNT_PATH, async (c) => c.json({ input_tokens: await count(state, c.req.raw) }))
  app.post('/v1/chat/completions/control', async (c) => c.json(await control(state, c.req.raw)))

  for (const [path, tell] of Object.entries(VOCABULARY)) {
    app.post(path, async (c) => c.json(await tell(state, await readBody(c.req.raw, options.maxBodyBytes))))
  }

  for (const path of [...OPEN_PATHS, '/metrics', ...withAliases('/v1/models'), '/v1/models/:id{.+}']) {
    app.all(path, (c) => notAllowed(c.req.method, 'GET'))
  }
  const posted = [...Object.keys(DIALECTS).flatMap(withAliases), ...Object.keys(VOCABULARY)]
  for (const path of [...posted, COUNT_PATH, '/v1/chat/completions/control']) {
    app.all(path, (c) => notAllowed(c.req.method, 'POST'))
  }
  app.notFound((c) => fail(c.req.path, new RequestError('There is nothing at this path', null, 404)))
  return app

  function notAllowed(method: string, allowed: string): Response {
    const error = new RequestError(`Expected ${allowed} but received ${method}`, null, 405)
    const response = fail('', error)
    response.headers.set('allow', allowed)
    return response
  }
}

function modelOf({ modelId, reasoner: { model } }: ServerState) {
  const { contextSize, parallel, thinkingWindow = null, quantization = null } = model
  return {
    id: modelId,
    object: 'model',
    type: 'model',
    display_name: modelId,
    created: 0,
    created_at: '1970-01-01T00:00:00Z',
    owned_by: 'z1-native',
    // JSON has no Infinity.
    z1: { contextSize: Number.isFinite(contextSize) ? contextSize : null, parallel, thinkingWindow, quantization },
  }
}

/** Of a request that is not run, and so needs no limit. */
async function count(state: ServerState, request: Request): Promise<number> {
  const body = await readBody(request, state.options.maxBodyBytes)
  const whole = new Map([...body, ['max_tokens', body.get('max_tokens') ?? 1]])
  const asked = messages.read(whole, [], state.options.reasoningField)
  return countTokens(state, asked, AbortSignal.any([request.signal, state.ending.signal]))
}

/** "Answer now": closes the window of a response under way. */
async function control(state: ServerState, request: Request) {
  const body = await readBody(request, state.options.maxBodyBytes)
  const { action, id } = readFields(CONTROL_FIELDS, body, [])
  if (action === undefined)
    throw new RequestError(`Expected ${CONTROL_FIELDS.action.kind.expected} for action`, 'action')
  const [only, ...others] = [...state.running.keys()]
  const meant = id ?? (others.length === 0 ? only : undefined)
  if (meant === undefined) {
    throw new RequestError(
      `${only === undefined ? 'No response is' : 'Several responses are'} under way: give the id of one`,
      'id',
    )
  }
  const stream = state.running.get(meant)
  if (!stream) throw new RequestError('There is no such response under way', 'id', 404)
  stream.endThinking()
  return { success: true, id: meant }
}
