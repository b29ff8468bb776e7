/** What lib/reason is handed to find models by their names (lib/reason/model-name.ts). */
import { findCached } from './cached.js'
import { parseModelName } from './names.js'
import type { PullProgress } from './options.js'

interface Options {
  download?: boolean | undefined
  onDownload?: ((progress: PullProgress) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Path of a model in the cache; null for what is no name. @throws as {@link findCached} does. */
export async function findModel(name: string, { download, onDownload, signal }: Options): Promise<string | null> {
  if (parseModelName(name) === null) return null
  return findCached(name, { download, onProgress: onDownload, signal })
}
