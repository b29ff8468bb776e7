/** The app is a fetch handler, and takes any reasoner. */
import { type Reasoner, Z1 } from '../../lib/index.js'
import { createApp, serve } from '../../lib/server/index.js'

declare const reasoner: Reasoner
const handler: (request: Request) => Response | Promise<Response> = createApp(reasoner).fetch
void handler
void serve(await Z1.load(), { port: 0, host: '127.0.0.1', defaults: { temperature: 'model' } })
// @ts-expect-error: each request has its own limit.
createApp(reasoner, { defaults: { maxTokens: 5 } })
