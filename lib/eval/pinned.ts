/** What run.json says of a run: what its results depend on, and what is worth knowing beside. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Z1Error } from '../base/errors.js'
import { sha256Of } from '../base/files.js'
import { packageVersion } from '../base/package.js'
import type { Reasoner, ReasonerModel } from '../reason/reasoner.js'
import type { RunEnvironment, RunOptions } from './results.js'
import type { Item } from './task.js'

type PinnedModel = Pick<RunOptions, 'modelSha256' | 'modelName'>

/** A model's file is known by its content. @throws {Z1Error} MODEL_NOT_FOUND. */
export async function pinFile(path: string): Promise<PinnedModel> {
  try {
    return { modelSha256: await sha256Of(path), modelName: null }
  } catch (cause) {
    throw new Z1Error('MODEL_NOT_FOUND', `No model at ${path}: ${(cause as Error).message}`, { cause })
  }
}

/** What runs elsewhere is known by its name alone. */
export async function pinReasoner({ model }: Reasoner): Promise<PinnedModel> {
  return (await isFile(model.path)) ? pinFile(model.path) : { modelSha256: null, modelName: model.path }
}

export function sha256OfItems(items: readonly Item[]): string {
  return createHash('sha256').update(JSON.stringify(items)).digest('hex')
}

/** Of a model that runs elsewhere it may be little. */
export async function environmentOf(model: ReasonerModel): Promise<RunEnvironment> {
  const { path, architecture, quantization, parameters, size, engine, devices, parallel, threads } = model
  return {
    version: packageVersion(),
    model: { file: (await isFile(path)) ? basename(path) : path, architecture, quantization, parameters, size },
    engine,
    devices: devices?.map(({ name }) => name),
    parallel,
    threads,
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isFile(),
    () => false,
  )
}
