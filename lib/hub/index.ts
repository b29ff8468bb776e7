/** `z1-native/hub`: models by name, from the Hugging Face Hub and its cache. */
export { type Cached, findCached, listCached, removeCached } from './cached.js'
export type { ModelHeader } from './header.js'
export { type ModelName, parseModelName } from './names.js'
export type { CacheOptions, FindOptions, HubOptions, PullOptions, PullProgress } from './options.js'
export { inspectRemote, type Pulled, pull, type RemoteModel } from './pull.js'
