/** What the requests of one server share. */
import { enginePackVersion, packageVersion } from '../base/package.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ReasonStream } from '../reason/stream.js'
import { Admission } from './admission.js'
import { Metrics } from './metrics.js'
import type { ResolvedAppOptions } from './options.js'

export class ServerState {
  readonly reasoner: Reasoner
  readonly options: ResolvedAppOptions
  readonly modelId: string
  /** The releases of this package and of its engine packs. */
  readonly fingerprint = `z1-native-${packageVersion()}-${enginePackVersion()}`
  readonly admission: Admission
  readonly metrics = new Metrics()
  /** Responses under way, by their ids. */
  readonly running = new Map<string, ReasonStream>()
  /** Aborted when what runs shall end at once. */
  readonly ending = new AbortController()
  /** Nothing new is taken. */
  draining = false

  constructor(reasoner: Reasoner, options: ResolvedAppOptions) {
    this.reasoner = reasoner
    this.options = options
    this.modelId = options.modelId ?? modelIdOf(reasoner.model.path)
    this.admission = new Admission(reasoner.model.parallel, options.maxQueue)
  }
}

function modelIdOf(path: string): string {
  return (path.split(/[/\\]/).at(-1) as string).replace(/\.gguf$/i, '')
}
