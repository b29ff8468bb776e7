/** `z1-native/server`: a reasoner over HTTP, in the protocols of OpenAI and Anthropic. */
export { createApp } from './app.js'
export { serve, type Z1Server } from './listen.js'
export type { AppOptions, ServeOptions } from './options.js'
